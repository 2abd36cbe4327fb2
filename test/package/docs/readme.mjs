// README.md: the ten lines say hello.
import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport } from 'thirdrail';

export default async ({ server }) => {
  const [near, far] = InMemoryTransport.createLinkedPair();
  await server.connect(far);
  const client = new Client({ name: 'reader', version: '1.0.0' });
  await client.connect(near);
  const { content } = await client.callTool({ name: 'greet', arguments: { name: 'Ada' } });
  assert.equal(content[0].text, 'Hello, Ada!');
  await client.close();
};
