// docs/authorization.md: who is let in, and who is told what.
import assert from 'node:assert/strict';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

async function call(url, name, token) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': name,
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name, arguments: {}, _meta: META },
    }),
  });
  const { result, error } = await response.json();
  return [response.status, result?.content[0].text ?? error?.message ?? error];
}

export default async ({ listener, signed, opaque }) => {
  const { url } = listener;
  const [reader, admin] = ['a-token-that-is-configured', 'another-token-of-the-admin'];
  assert.deepEqual(await call(url, 'whoami', reader), [200, 'reader']);
  assert.equal((await call(url, 'whoami'))[0], 401);
  assert.equal((await call(url, 'write', reader))[0], 403);
  assert.deepEqual(await call(url, 'write', admin), [200, 'Written.']);
  assert.equal((await call(url, 'purge', reader))[1], 'Unknown tool: purge');
  assert.deepEqual(await call(url, 'purge', admin), [200, 'Purged.']);
  for (const other of [signed, opaque]) {
    assert.equal((await call(other.url, 'whoami'))[0], 401);
    const metadata = await (await fetch(new URL('/.well-known/oauth-protected-resource/mcp', other.url))).json();
    assert.equal(metadata.resource, 'https://mcp.example.com/mcp');
  }
};
