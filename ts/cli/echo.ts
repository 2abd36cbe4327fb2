/**
 * `npm run echo`: a server with N tools over HTTP or stdio. What benchmarks and outside checks talk to.
 *
 *     --port P [--host H] [--threads T] | --stdio     where to serve
 *     --token T                                       the bearer token that every request needs
 *     --tools N                                       how many tools (default 2: echo and add)
 *     --tools-json FILE                               definitions to serve in place of the made-up ones
 */
import { readFileSync } from 'node:fs';
import { McpServer } from '../server/mcp.js';
import { echoTools, toolsFrom } from './tools.js';

interface Arguments {
  stdio: boolean;
  port: number;
  host: string | undefined;
  threads: number | undefined;
  tools: number;
  file: string | undefined;
  token: string | undefined;
}

const USAGE = 'usage: echo (--port P [--host H] [--threads T] [--token T] | --stdio) [--tools N | --tools-json FILE]';

function argumentsOf(argv: readonly string[]): Arguments {
  const out: Arguments = {
    ...{ stdio: false, port: 3000, host: undefined, threads: undefined, tools: 2, file: undefined },
    token: undefined,
  };
  for (let i = 0; i < argv.length; i++) {
    const flag = argv[i] as string;
    if (flag === '--stdio') {
      out.stdio = true;
      continue;
    }
    const value = argv[++i];
    if (value === undefined) throw new Error(`${flag} needs a value`);
    if (flag === '--port') out.port = number(flag, value);
    else if (flag === '--host') out.host = value;
    else if (flag === '--threads') out.threads = number(flag, value);
    else if (flag === '--tools') out.tools = number(flag, value);
    else if (flag === '--tools-json') out.file = value;
    else if (flag === '--token') out.token = value;
    else throw new Error(`unknown option ${flag}`);
  }
  return out;
}

function number(flag: string, value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new Error(`${flag} must be a number, not ${JSON.stringify(value)}`);
  return Number(value);
}

function serverFor(given: Arguments): McpServer {
  const server = new McpServer({ name: 'thirdrail-echo', version: '1.0.0' });
  const tools = given.file === undefined ? echoTools(given.tools) : toolsFrom(readFileSync(given.file, 'utf8'));
  for (const { name, description, inputSchema, run } of tools) {
    server.registerTool(name, { description, inputSchema }, (args) => ({
      content: [{ type: 'text', text: run(args) }],
    }));
  }
  return server;
}

async function main(): Promise<void> {
  const given = argumentsOf(process.argv.slice(2));
  const server = serverFor(given);
  if (given.stdio) {
    const { serveStdio } = await import('../server/stdio.js');
    serveStdio(server);
    return;
  }
  const { port, host, threads, token } = given;
  const { isLoopback } = await import('../server/listen.js');
  // Its tools touch nothing, so a benchmark may reach it from another machine.
  const open = host !== undefined && !isLoopback(host);
  const listener = await server.listen({
    port,
    ...(host !== undefined && { host }),
    ...(open && { allowUnauthenticated: true, allowedHosts: null, allowedOrigins: null }),
    ...(threads !== undefined && { threads }),
    ...(token !== undefined && { auth: { tokens: [{ token }] } }),
  });
  process.stderr.write(`listening on ${listener.url} (engine: ${listener.engine}, ${listener.reason})\n`);
  const stop = () => void listener.close().then(() => process.exit(0));
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n${USAGE}\n`);
  process.exitCode = 1;
});
