/** A server on an Express application that does other things besides (`npm install express`). */
import express from 'express';
import { McpServer } from 'thirdrail';
import { expressHandler } from 'thirdrail/express';

const server = new McpServer({ name: 'counter', version: '1.0.0' });
let visits = 0;

server.registerTool('visits', { description: 'How many people looked at the page?' }, () => ({
  content: [{ type: 'text', text: `${visits} visits` }],
}));

const app = express();
app.get('/', (_request, response) => {
  visits += 1;
  response.send('Hello.');
});
const mcp = expressHandler(server);
app.all('/mcp', mcp);

const web = app.listen(Number(process.env.PORT || 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${web.address().port}/mcp`);
});
