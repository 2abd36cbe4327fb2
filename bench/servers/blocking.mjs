// A thirdrail server whose JavaScript is kept busy half of the time, started by a tool call: what does that cost the
// answers that need no JavaScript? `--port P`, the engine from THIRDRAIL_ENGINE.
import { readFileSync } from 'node:fs';
import { McpServer } from '../../dist/index.js';

const value = (name) => process.argv[process.argv.indexOf(name) + 1];
const BUSY_MS = 50;
const EVERY_MS = 100;

let busyTotal = 0;
let since = 0;
let timer;

function burn(milliseconds) {
  const start = performance.now();
  while (performance.now() - start < milliseconds);
  busyTotal += performance.now() - start;
}

const server = new McpServer({ name: 'blocking', version: '1.0.0' });
const report = () => ({ content: [{ type: 'text', text: String(busyTotal / (performance.now() - since)) }] });

server.registerTool('block', { description: 'Blocks from now on.', inputSchema: { type: 'object' } }, () => {
  since = performance.now();
  busyTotal = 0;
  // The next start is due from the last due time, so that the share does not drift with the load.
  let due = since;
  const next = () => {
    burn(BUSY_MS);
    due += EVERY_MS;
    timer = setTimeout(next, Math.max(0, due - performance.now()));
  };
  clearTimeout(timer);
  timer = setTimeout(next, 0);
  return report();
});
server.registerTool('share', { description: 'Share of time blocked.', inputSchema: { type: 'object' } }, report);
for (const { name, description, inputSchema } of JSON.parse(readFileSync(value('--tools-json'), 'utf8'))) {
  server.registerTool(name, { description, inputSchema }, () => ({ content: [{ type: 'text', text: 'done' }] }));
}

const listener = await server.listen({ port: Number(value('--port')), host: '127.0.0.1' });
process.stderr.write(`listening on port ${listener.port}\n`);
