// docs/round-trips.md: the tools ask in both eras, and what stands in `once` runs once for each call.
import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport } from 'thirdrail';

export default async ({ server, plans }) => {
  for (const mode of ['legacy', { pin: '2026-07-28' }]) {
    const [near, far] = InMemoryTransport.createLinkedPair();
    await server.connect(far);
    const capabilities = { elicitation: { form: {} } };
    const client = new Client({ name: 'reader', version: '1.0.0' }, { versionNegotiation: { mode }, capabilities });
    client.setRequestHandler('elicitation/create', async ({ params }) => ({
      action: 'accept',
      content: params.message === 'Name?' ? { name: 'Ada' } : { confirm: true },
    }));
    await client.connect(near);
    plans.length = 0;
    const deployed = await client.callTool({ name: 'deploy', arguments: { env: 'production' } });
    assert.equal(deployed.content[0].text, 'Deployed to production by 1 plan(s).');
    assert.equal((await client.callTool({ name: 'greet' })).content[0].text, 'Hello, Ada!');
    await client.close();
  }
};
