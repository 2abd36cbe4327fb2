// `npm run everything -- --port P`: the fixture server of the official conformance suite, both eras on one endpoint `/mcp`.
// THIRDRAIL_ENGINE picks the engine. Prints the URL when it listens; SIGTERM drains it.
import { McpServer, MemoryEventStore } from 'thirdrail';
import { registerContent } from './everything/content.mjs';
import { registerDialogue } from './everything/dialogue.mjs';
import { registerPrompts } from './everything/prompts.mjs';
import { registerResources } from './everything/resources.mjs';
import { registerRounds } from './everything/rounds.mjs';
import { registerTasks } from './everything/tasks.mjs';

const port = portFrom(process.argv.slice(2));
const server = new McpServer(
  { name: 'thirdrail-everything', version: '1.0.0' },
  {
    capabilities: { logging: {}, resources: { subscribe: true } },
    instructions: 'A fixture for conformance tests: every feature of the protocol, nothing of use.',
  },
);
registerContent(server);
registerDialogue(server);
registerRounds(server);
registerTasks(server);
registerResources(server);
registerPrompts(server);

const listener = await server.listen({ port, path: '/mcp', eventStore: new MemoryEventStore() });
console.log(`listening on http://localhost:${listener.port}/mcp (${listener.engine})`);
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close({ grace: 1000 }));

function portFrom(argv) {
  const [flag, value] = argv;
  if (argv.length === 2 && flag === '--port' && /^\d{1,5}$/.test(value)) return Number(value);
  console.error('usage: everything --port P');
  process.exit(2);
}
