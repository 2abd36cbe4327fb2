// npm start: set up, serve examples/server.mjs on http://127.0.0.1:3000/mcp, say what to paste into a client.
import { setup } from './setup.mjs';
import { fail } from './steps/run.mjs';

const { native } = await setup().catch(fail);
// Setup has said so in one line already; an addon left over from older sources must not be picked up instead.
if (!native) process.env.THIRDRAIL_ENGINE ??= 'js';

const { PORT: port = '3000' } = process.env;
if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) {
  console.error(`PORT must be a number from 0 to 65535, not ${JSON.stringify(port)}`);
  process.exit(2);
}

// In this process: signals, exit code and output are the server's own.
const { listener } = await import('../examples/server.mjs').catch((error) => {
  // A port in use, a host that is refused: the message says it, a stack would hide it.
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});

const url = new URL(listener.url);
if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = 'localhost';
const servers = { thirdrail: { type: 'http', url: url.href } };
console.log(`
Serving ${url}. Stop with Ctrl+C.

Claude Code:
  claude mcp add --transport http thirdrail ${url}

Cursor, and other clients that read "mcpServers":
  ${JSON.stringify({ mcpServers: servers })}

VS Code (.vscode/mcp.json):
  ${JSON.stringify({ servers })}`);
