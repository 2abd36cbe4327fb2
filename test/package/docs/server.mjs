// docs/server.md: the library does what its page says, for a client of either era.
import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport } from 'thirdrail';

const textOf = (result) => result.content[0].text;

async function join(server, mode) {
  const [near, far] = InMemoryTransport.createLinkedPair();
  await server.connect(far);
  const capabilities = { elicitation: { form: {} } };
  const client = new Client({ name: 'reader', version: '1.0.0' }, { versionNegotiation: { mode }, capabilities });
  client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { word: 'sea' } }));
  await client.connect(near);
  return client;
}

export default async ({ server, bare, books }) => {
  for (const mode of ['legacy', { pin: '2026-07-28' }]) {
    const client = await join(server, mode);
    const call = (name, args = {}, options = {}) => client.callTool({ name, arguments: args }, options);
    assert.deepEqual((await call('search', { words: 'Em' })).structuredContent, { titles: ['Emma'] });
    assert.equal((await call('search', { words: 1 })).isError, true);
    assert.equal(textOf(await call('buy', { isbn: '0141439661' })), 'Emma for nobody');
    assert.match(textOf(await call('branch', { city: 'Bergen' })), /Bergen/);
    const { tools } = await client.listTools();
    assert.equal(tools.find((tool) => tool.name === 'branch').inputSchema.properties.city['x-mcp-header'], 'City');
    assert.equal(tools.find((tool) => tool.name === 'sale').description, 'A third off.');
    assert.match(textOf(await call('sale')), /Today/);

    const { resources } = await client.listResources();
    assert.equal(resources.filter(({ uri }) => uri.startsWith('library://books/')).length, books.size);
    const read = async (uri) => (await client.readResource({ uri })).contents[0].text;
    assert.equal((await read('library://catalogue')).split('\n').length, books.size);
    assert.match(await read('library://books/0141439661'), /handsome/);
    assert.match(await read('library://everything'), /Emma[\s\S]*Mansfield Park/);
    await assert.rejects(read('library://books/none'));

    const { messages } = await client.getPrompt({ name: 'review', arguments: { isbn: '1' } });
    assert.equal(messages[0].content.text, 'Review the book 1.');
    const refs = [
      { type: 'ref/prompt', name: 'review' },
      { type: 'ref/resource', uri: 'library://books/{isbn}' },
    ];
    for (const ref of refs) {
      const { completion } = await client.complete({ ref, argument: { name: 'isbn', value: '019' } });
      assert.deepEqual(completion.values, ['0199536252']);
    }

    const heard = [];
    const scanned = await call('scan', {}, { onprogress: ({ progress }) => heard.push(progress) });
    assert.equal(textOf(scanned), `${books.size} books`);
    assert.deepEqual(heard, [1, 2, 3]);
    assert.equal(textOf(await call('recommend')), 'Something with sea.');

    assert.deepEqual(client.getServerCapabilities().extensions['com.example/loans'], { days: 14 });
    assert.match(textOf(await call('shelf')), /Mansfield Park/);
    assert.match(await read('ui://library/shelf.html'), /Shelf/);
    await client.close();
  }
  const client = await join(bare, { pin: '2026-07-28' });
  assert.equal((await client.listTools()).tools[0].name, 'hello');
  assert.equal(textOf(await client.callTool({ name: 'hello' })), 'Hello from hello');
  await client.close();
};
