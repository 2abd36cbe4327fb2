// The official TypeScript SDK v1 over stdio.
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { told } from './catalogue.mjs';
import { v1Server } from './official-v1.mjs';

const { tools } = told();
await v1Server(tools).connect(new StdioServerTransport());
