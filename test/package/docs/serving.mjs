// docs/serving.md: each way to the clock tells the time.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { WebSocket } from 'ws';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const CALL = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'time', arguments: {}, _meta: META },
});
const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': 'time',
};

function post(send, options) {
  return new Promise((resolve, reject) => {
    const sent = send({ method: 'POST', path: '/mcp', headers: HEADERS, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ text, headers: response.headers }));
    });
    sent.on('error', reject);
    sent.end(CALL);
  });
}

function tells(text) {
  assert.match(JSON.parse(text).result.content[0].text, /^\d{4}-/);
}

export default async ({ listener, local, secure, sockets, content, resumable }) => {
  tells((await post(request, { port: listener.port, host: '127.0.0.1' })).text);
  tells((await post(request, { socketPath: local.url.slice('unix:'.length), host: 'localhost' })).text);
  const origin = 'https://app.example.com';
  const headers = { ...HEADERS, origin };
  const guarded = { port: secure.port, host: '127.0.0.1', rejectUnauthorized: false, headers };
  const answer = await post(secureRequest, guarded);
  tells(answer.text);
  assert.equal(answer.headers['access-control-allow-origin'], origin);
  assert.match(content[0].text, /^\d{4}-/);

  const socket = new WebSocket(sockets.url, 'mcp');
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(CALL);
  tells(await new Promise((resolve) => socket.once('message', (data) => resolve(String(data)))));
  socket.close();

  const stream = await fetch(new URL('/sse', resumable.url), { headers: { accept: 'text/event-stream' } });
  assert.equal(stream.status, 200);
  await stream.body.cancel();
};
