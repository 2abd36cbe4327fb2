/**
 * Unix sockets, shared ports, TLS. Called by serve.case.ts.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect as tcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, Shape, ListenerStat as Stat } from '../../ts/engine/engine.js';
import { hasReusePort } from '../../ts/engine/js/serve/bind.js';
import { selfSigned } from './certificate.js';
import { until } from './echo.js';
import { call, echoed, group, JSON_TYPE, Stage, staged } from './stage.js';
import { request, Wire } from './wire.js';

export function socketCases(engine: Engine): void {
  describe.skipIf(process.platform === 'win32')('unix socket', () => unixCases(engine));
  reusePortCases(engine);
  tlsCases(engine);
}

/** A socket file whose owner died without a word. */
function abandoned(path: string): void {
  const script = `const { createServer } = require('node:net');
    createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'));`;
  spawnSync(process.execPath, ['-e', script]);
}

function unixCases(engine: Engine): void {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'thirdrail-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('serves, keeps alive, streams, and is gone when closed', async () => {
    const path = join(folder, 'serve.sock');
    const stage = new Stage(engine, { unixPath: path });
    await stage.open();
    expect(stage.listener.port).toBe(0);
    expect(statSync(path).isSocket()).toBe(true);
    const wire = await stage.wire();
    for (let i = 0; i < 3; i++) {
      wire.send(call('echo', `{"i":${i}}`));
      expect((await wire.response()).text).toBe(echoed('1', `{"i":${i}}`));
    }
    wire.send(call('stream'));
    expect((await wire.response()).headers['content-type']).toBe('text/event-stream');
    wire.send(request('POST', '/mcp', [JSON_TYPE, ['host', 'evil.example']], '{}'));
    expect((await wire.response()).status).toBe(403);
    expect(stage.stat(Stat.accepted)).toBe(1);
    await stage.close();
    expect(existsSync(path)).toBe(false);
  });

  it('takes the place of a dead socket, and of no other', async () => {
    const path = join(folder, 'stale.sock');
    abandoned(path);
    expect(existsSync(path)).toBe(true);
    const stage = new Stage(engine, { unixPath: path });
    await stage.open();
    await stage.alive();
    await expect(new Stage(engine, { unixPath: path }).open()).rejects.toThrow(/EADDRINUSE|in use|listens/i);
    await stage.alive();
    await stage.close();
  });

  it('refuses what is no socket, and leaves it', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'mine');
    await expect(new Stage(engine, { unixPath: path }).open()).rejects.toThrow(/no socket|not a socket/);
    expect(statSync(path).isFile()).toBe(true);
    await expect(new Stage(engine, { unixPath: folder }).open()).rejects.toThrow(/no socket|not a socket/);
  });

  it('refuses a path that is too long or leads nowhere', async () => {
    await expect(new Stage(engine, { unixPath: join(folder, 'x'.repeat(120)) }).open()).rejects.toThrow(/long/i);
    await expect(new Stage(engine, { unixPath: join(folder, 'no', 'x.sock') }).open()).rejects.toThrow();
  });
}

function reusePortCases(engine: Engine): void {
  describe('shared port', () => {
    if (engine.name === 'js' && !hasReusePort()) {
      it('is refused where this node cannot share one', async () => {
        await expect(new Stage(engine, { reusePort: true }).open()).rejects.toThrow(/reusePort needs Node 22\.12/);
      });
      return;
    }
    it.skipIf(process.platform !== 'linux')('is served by all who asked for it, and by nobody else', async () => {
      const first = new Stage(engine, { reusePort: true });
      await first.open();
      const { port } = first.listener;
      const second = new Stage(engine, { reusePort: true, port });
      await second.open();
      expect(second.listener.port).toBe(port);
      await expect(new Stage(engine, { port }).open()).rejects.toThrow(/EADDRINUSE|in use/i);
      for (let i = 0; i < 200 && first.stat(Stat.calls) * second.stat(Stat.calls) === 0; i++) await first.alive();
      expect(first.stat(Stat.calls)).toBeGreaterThan(0);
      expect(second.stat(Stat.calls)).toBeGreaterThan(0);
      await first.close();
      await second.alive();
      await second.close();
    });
  });

  it('knows which nodes can share a port', () => {
    const able = ['22.12.0', '22.20.1', '23.1.0', '24.0.0', '30.1.2'];
    const unable = ['20.20.2', '22.11.0', '23.0.0', '18.1.0'];
    expect(able.filter((version) => !hasReusePort(version))).toEqual([]);
    expect(unable.filter((version) => hasReusePort(version))).toEqual([]);
  });
}

function tlsCases(engine: Engine): void {
  const tls = selfSigned();

  group(engine, 'tls', { tls }, (stage) => {
    it('serves, keeps alive and streams', async () => {
      const wire = await stage.wire();
      for (let i = 0; i < 3; i++) {
        wire.send(call('echo', `{"i":"ü${i}"}`));
        expect((await wire.response()).text).toBe(echoed('1', `{"i":"ü${i}"}`));
      }
      wire.send(call('stream'));
      expect((await wire.response()).text).toContain('"zwölf"');
      // Not regular, and slowly: the long way.
      await wire.sendSlowly(Buffer.from(call('echo', '{"slow":1}')), 7);
      expect((await wire.response()).text).toBe(echoed('1', '{"slow":1}'));
      wire.send(call('echo', JSON.stringify({ pad: 'x'.repeat(19_000) })));
      expect((await wire.response()).text.length).toBeGreaterThan(19_000);
    });

    it('ends a connection that speaks no TLS, or not for long', async () => {
      const clear = await Wire.connect(stage.port);
      clear.send(call('echo'));
      await clear.closed;
      const garbage = await Wire.connect(stage.port);
      garbage.send(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, ...Array(600).fill(7)]));
      await garbage.closed;
    });

    it('tells of a client that left', async () => {
      const wire = await stage.wire();
      const slot = await stage.held(() => wire.send(call('hold')));
      await wire.leave();
      await until(() => stage.receiver.aborted.includes(slot));
    });
  });

  describe('tls', () => {
    it('refuses a certificate that cannot be used, and says why', async () => {
      const other = selfSigned();
      const bad = [
        { cert: 'nothing', key: tls.key },
        { cert: tls.cert, key: 'nothing' },
        { cert: tls.key, key: tls.cert },
        { cert: tls.cert, key: other.key },
        { cert: tls.cert.replace(/[A-Za-z]{8}/, '!!!!!!!!'), key: tls.key },
      ];
      for (const one of bad) {
        const error = await new Stage(engine, { tls: one }).open().catch((reason: Error) => reason);
        expect(error).toBeInstanceOf(Error);
        expect((error as Error).message).toMatch(/tls|certificate/i);
        expect((error as Error).message).not.toContain(tls.key.slice(40, 80));
      }
    });

    it('ends a handshake that does not come to its end', () =>
      staged(engine, { tls, headerTimeout: 100 }, async (stage) => {
        const silent = await Wire.connect(stage.port);
        await silent.closed;
        await stage.alive();
      }));

    it('is closed while a handshake waits', async () => {
      const stage = new Stage(engine, { tls });
      await stage.open();
      const silent = tcp(stage.port, '127.0.0.1');
      await new Promise((resolve) => silent.once('connect', resolve));
      await stage.alive();
      silent.on('error', () => {});
      await stage.listener.close(20);
      silent.destroy();
    });

    it('renews the certificate for new connections and drops no old one', () =>
      staged(engine, { tls }, async (stage) => {
        const { listener } = stage;
        const next = selfSigned();
        const old = await stage.wire();
        const slot = await stage.held(() => old.send(call('hold')));
        expect(listener.renewTls(next.cert, next.key)).toBe('');
        const fresh = await Wire.connectTls(stage.port, next.cert);
        fresh.send(call('echo', '{"new":1}'));
        expect((await fresh.response()).text).toBe(echoed('1', '{"new":1}'));
        await expect(Wire.connectTls(stage.port, tls.cert)).rejects.toThrow();
        listener.reply(slot, 200, Shape.result, 0, '', '1');
        expect((await old.response()).status).toBe(200);
        old.send(call('echo', '{"old":1}'));
        expect((await old.response()).text).toBe(echoed('1', '{"old":1}'));
        expect(listener.renewTls(next.cert, tls.key)).not.toBe('');
        expect(listener.renewTls('', '')).not.toBe('');
        const still = await Wire.connectTls(stage.port, next.cert);
        still.send(call('echo', '{}'));
        await still.response();
        await Promise.all([fresh.leave(), still.leave()]);
        listener.renewTls(tls.cert, tls.key);
      }));

    it('has none to renew in clear text', () =>
      staged(engine, {}, async (stage) => {
        expect(stage.listener.renewTls(tls.cert, tls.key)).not.toBe('');
        await stage.alive();
      }));
  });
}
