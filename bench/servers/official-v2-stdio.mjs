// The official TypeScript SDK v2 over stdio.
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { told } from './catalogue.mjs';
import { v2Server } from './official-v2.mjs';

const { tools } = told();
serveStdio(() => v2Server(tools));
