/**
 * Tokens that are configured, and a tool that needs more than the others. With `auth` a server may listen beyond loopback
 * (HOST, and the names by which clients reach it in ALLOWED_HOSTS).
 *
 *     READER_TOKEN=... WRITER_TOKEN=... node authorization.mjs
 */
import { McpServer } from 'thirdrail';
import { z } from 'zod';

const { READER_TOKEN, WRITER_TOKEN, HOST, ALLOWED_HOSTS, PORT } = process.env;
if (!READER_TOKEN || !WRITER_TOKEN) {
  console.error('READER_TOKEN and WRITER_TOKEN must be set, to at least 16 characters each');
  process.exit(2);
}

const server = new McpServer({ name: 'notes', version: '1.0.0' });
const notes = [];

server.registerTool('read', { description: 'All notes.' }, (ctx) => ({
  content: [{ type: 'text', text: `${notes.join('\n')}\n(for ${ctx.authInfo.clientId})` }],
}));

// Whoever lacks the scope is answered 403, with a challenge that names it.
server.registerTool(
  'write',
  { description: 'Adds a note.', inputSchema: z.object({ note: z.string() }), scopes: ['notes:write'] },
  ({ note }, ctx) => {
    notes.push(`${ctx.authInfo.clientId}: ${note}`);
    return { content: [{ type: 'text', text: 'Noted.' }] };
  },
);

const listener = await server.listen({
  host: HOST || '127.0.0.1',
  port: Number(PORT || 3000),
  ...(ALLOWED_HOSTS && { allowedHosts: ALLOWED_HOSTS.split(',') }),
  auth: {
    tokens: [
      { token: READER_TOKEN, clientId: 'reader', scopes: ['notes:read'] },
      { token: WRITER_TOKEN, clientId: 'writer', scopes: ['notes:read', 'notes:write'] },
    ],
    requiredScopes: ['notes:read'],
  },
});
console.log(`listening on ${listener.url}`);
