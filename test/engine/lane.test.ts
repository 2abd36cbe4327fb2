/**
 * The lane of the JavaScript engine beside node's parser: whatever head the lane takes, node reads the same from it. Two
 * parsers that disagree about where a request ends are a way to smuggle one past the checks.
 */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Conn } from '../../ts/engine/js/serve/call.js';
import { Lane } from '../../ts/engine/js/serve/lane.js';
import { type LaneHead, readHead } from '../../ts/engine/js/serve/lanehead.js';
import { serveConfig } from './config.js';
import { Wire } from './wire.js';

const FIRST = 'POST /mcp HTTP/1.1';
const BODY = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

const name = fc.constantFrom(
  ...[
    'Host',
    'Content-Type',
    'Content-Length',
    'content-length',
    'Accept',
    'Mcp-Name',
    'Connection',
    'X-A',
    'x_b',
    'X!',
  ],
  ...['Transfer-Encoding', 'Expect', 'Upgrade', 'TE', 'Trailer', 'Bad Name', 'Bad(', '', 'X\u0000', 'Xé', ' Folded'],
);
const value = fc.oneof(
  fc.constantFrom(
    `${BODY.length}`,
    'localhost',
    'application/json',
    'keep-alive',
    'close',
    'chunked',
    '',
    '0',
    '+5',
    '0x10',
  ),
  fc.constantFrom(
    `${BODY.length}, ${BODY.length}`,
    ` ${BODY.length} `,
    'a\tb',
    'é',
    'a\u0000b',
    'a\u007f',
    'a\nb',
    'a\rb',
  ),
  fc.string({ maxLength: 12 }),
);
const line = fc
  .tuple(name, fc.constantFrom(':', ': ', ':\t', ' :', ''), value)
  .map(([field, colon, text]) => `${field}${colon}${text}`);
/** Most heads are right but for what the generated lines add, or the lane would hardly ever take one. */
const lines = fc
  .record({ right: fc.boolean(), more: fc.array(line, { maxLength: 4 }) })
  .map(({ right, more }) => [
    ...(right ? ['Host: localhost', 'Content-Type: application/json', `Content-Length: ${BODY.length}`] : []),
    ...more,
  ]);

describe('the lane and node:http', () => {
  let server: Server;
  let port: number;

  beforeAll(async () => {
    server = createServer({ requireHostHeader: false }, (request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        response.end(JSON.stringify({ raw: request.rawHeaders, line: `${request.method} ${request.url}`, body }));
      });
    });
    server.maxHeadersCount = 0;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('agree on every head that the lane takes', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(lines, async (made) => {
        const text = [FIRST, ...made].join('\r\n');
        const read = readHead(Buffer.from(text, 'utf8').toString('latin1'), FIRST);
        if (read === null || read.head.contentLength !== BODY.length) return;
        taken += 1;
        const wire = await Wire.connect(port);
        try {
          wire.send(`${text}\r\n\r\n${BODY}`);
          const response = await wire.response();
          expect(response.status).toBe(200);
          expect(JSON.parse(response.text)).toEqual({ raw: read.raw, line: 'POST /mcp', body: BODY });
        } finally {
          await wire.leave();
        }
      }),
      { numRuns: 3000 },
    );
    expect(taken).toBeGreaterThan(200);
  });

  it.each([
    ['two lengths', ['Content-Length: 3', 'content-length: 3']],
    ['no length', ['Host: a']],
    ['a length that is no number', ['Content-Length: 0x3']],
    ['a coding', ['Content-Length: 3', 'Transfer-Encoding: chunked']],
    ['a folded line', ['Content-Length: 3', 'X: a', ' b']],
    ['a blank before the colon', ['Content-Length : 3']],
    ['a lone line feed', ['X: a\nContent-Length: 3']],
    ['a wish to be asked', ['Content-Length: 3', 'Expect: 100-continue']],
    ['another protocol', ['Content-Length: 3', 'Connection: Upgrade', 'Upgrade: h2c']],
    ['the end of the connection', ['Content-Length: 3', 'Connection: close']],
  ])('leaves %s to node', (_what, made) => {
    expect(readHead([FIRST, ...made].join('\r\n'), FIRST)).toBeNull();
    expect(readHead([FIRST, 'Content-Length: 3'].join('\r\n'), FIRST)).not.toBeNull();
  });

  it.each(['POST /mcp HTTP/1.0', 'POST /mcp?x HTTP/1.1', 'GET /mcp HTTP/1.1', 'POST  /mcp HTTP/1.1', ''])(
    'leaves the request line %j to node',
    (first) => {
      expect(readHead(`${first}\r\nContent-Length: 3`, FIRST)).toBeNull();
    },
  );
});

describe('a lane', () => {
  const message = (secret: string) =>
    `${FIRST}\r\nHost: localhost\r\nAuthorization: Bearer ${secret}\r\nContent-Length: 2\r\n\r\n{}`;

  it('keeps authorized traffic, and reads the same head once', async () => {
    const socket = new PassThrough();
    const heads: LaneHead[] = [];
    let left = 0;
    new Lane({ socket } as unknown as Conn, serveConfig(), FIRST, {
      regular: (_lane, head) => heads.push(head) > 0,
      leave: () => left++,
      closing: () => false,
    });
    for (const secret of ['one', 'one', 'two', 'two', 'one']) {
      socket.push(message(secret));
      await new Promise(setImmediate);
    }
    expect(left).toBe(0);
    expect(heads.map(({ head }) => head.authorization)).toEqual(
      ['one', 'one', 'two', 'two', 'one'].map((secret) => `Bearer ${secret}`),
    );
    expect([heads[0] === heads[1], heads[2] === heads[3], heads[1] === heads[2]]).toEqual([true, true, false]);
  });
});
