/**
 * A server for the cases of `serve`: one listener with its receiver and registry on a free port, and the requests that the
 * cases share.
 */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { type Engine, LISTENER_STAT_COUNT, type Listener, type ServeConfig } from '../../ts/engine/engine.js';
import { serveConfig } from './config.js';
import { Echo, fill, Handler, until, type VectorRoute } from './echo.js';
import { request, Wire, type WireResponse } from './wire.js';

interface DoorVectors {
  modernVersions: string[];
  legacyVersions: string[];
  sessions: string[];
  routes: VectorRoute[];
  cases: {
    name: string;
    headers: [string, string][];
    body: string;
    expect: 'call' | 'answer' | 'up';
    handler?: number;
    flags?: number;
    args?: string;
    result?: string;
  }[];
}

export const vectors = JSON.parse(
  readFileSync(new URL('../vectors/serve/door.json', import.meta.url), 'utf8'),
) as DoorVectors;

/** One server with its receiver, on a free port. */
export class Stage {
  readonly receiver = new Echo();
  listener!: Listener;
  private readonly wires: Wire[] = [];

  constructor(
    private readonly engine: Engine,
    private readonly limits: Partial<ServeConfig> = {},
  ) {}

  async open(): Promise<void> {
    const config = serveConfig({
      modernVersions: vectors.modernVersions,
      legacyVersions: vectors.legacyVersions,
      ...this.limits,
    });
    const registry = fill(this.engine.registry.create(), vectors.routes);
    this.listener = await this.engine.serve.listen(config, registry, this.receiver);
    for (const id of vectors.sessions) this.listener.openSession(id);
  }

  async wire(): Promise<Wire> {
    const { unixPath, tls } = this.limits;
    const wire = await (unixPath
      ? Wire.connectTo(unixPath)
      : tls
        ? Wire.connectTls(this.port, tls.cert)
        : Wire.connect(this.port));
    this.wires.push(wire);
    return wire;
  }

  get port(): number {
    return this.listener.port;
  }

  /** Waits until something is handed up for which nobody answers, and gives its slot. `send` brings it about. */
  async held(send: () => void): Promise<number> {
    const before = this.receiver.seen.length;
    send();
    await until(() => this.receiver.seen.length > before);
    return this.receiver.seen[before]?.slot ?? -1;
  }

  /** One request on a connection of its own. */
  async ask(bytes: string, method = 'POST'): Promise<WireResponse> {
    const wire = await this.wire();
    wire.send(bytes);
    const response = await wire.response(method);
    await wire.leave();
    return response;
  }

  stat(index: number): number {
    const out = new Float64Array(LISTENER_STAT_COUNT);
    this.listener.stats(out);
    return out[index] as number;
  }

  /** The good request: whatever was done to the server, it must be answered. */
  async alive(): Promise<void> {
    const response = await this.ask(call('echo', '{"still":"here"}', '"alive"'));
    expect(response.status).toBe(200);
    expect(response.text).toBe(echoed('"alive"', '{"still":"here"}'));
  }

  async close(): Promise<void> {
    await Promise.all(this.wires.map((wire) => wire.leave()));
    await this.listener.close(0);
  }
}

export const JSON_TYPE = ['content-type', 'application/json'] as const;

export function post(body: string, ...headers: (readonly [string, string])[]): string {
  return request('POST', '/mcp', [JSON_TYPE, ...headers], body);
}

/** A legacy tools/call, the shortest call there is. */
export function call(tool: string, args = '{}', id = '1'): string {
  return post(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${tool}","arguments":${args}}}`);
}

export function echoed(id: string, args: string, handler: number = Handler.echo, flags = 3): string {
  return `{"jsonrpc":"2.0","id":${id},"result":{"handler":${handler},"flags":${flags},"args":${args},"meta":null}}`;
}

export function refusal(code: number, message: string, id = 'null'): string {
  return `{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":"${message}"}}`;
}

/** A server for one case, closed when that is over. */
export async function staged(
  engine: Engine,
  limits: Partial<ServeConfig>,
  run: (stage: Stage) => Promise<void>,
): Promise<void> {
  const stage = new Stage(engine, limits);
  await stage.open();
  try {
    await run(stage);
  } finally {
    await stage.close();
  }
}

/** Declares a group with one server for all its cases. */
export function group(
  engine: Engine,
  title: string,
  limits: Partial<ServeConfig>,
  cases: (stage: Stage) => void,
): void {
  describe(title, () => {
    const stage = new Stage(engine, limits);
    beforeAll(() => stage.open());
    afterEach(() => stage.alive());
    afterAll(() => stage.close());
    cases(stage);
  });
}
