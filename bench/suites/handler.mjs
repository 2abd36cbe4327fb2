// A server with 53 tools mounted on node:http by createMcpHandler: the official SDK and thirdrail run the same code, a
// factory that is called for each request. Beside them thirdrail with one server object in the factory's place.
import { rounds } from '../measure/rounds.mjs';
import { HAND, HANDLER, HANDLER_SERVER, V2 } from '../servers.mjs';
import { measureHttp } from './http.mjs';

const TARGETS = [V2, HAND, HANDLER, HANDLER_SERVER];

export function handler(options, tell) {
  const row = 'tools/call echo, createMcpHandler with 53 tools';
  const jobs = TARGETS.map((target) => ({ row, work: 'echo', tools: 53, same: false, target }));
  return rounds(jobs, options, (job) => measureHttp(job, options), tell);
}
