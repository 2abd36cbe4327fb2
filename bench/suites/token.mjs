// What authorization costs: calls with a static bearer token beside calls to the same server without authorization.
import { rounds } from '../measure/rounds.mjs';
import { JS, NATIVE } from '../servers.mjs';
import { measureHttp } from './http.mjs';

const TOKEN = 'bench-token-0123456789abcdef';

export function token(options, tell) {
  const jobs = [JS, NATIVE].flatMap((target) => [
    { row: 'tools/call echo, no authorization', work: 'echo', tools: 3, target },
    { row: 'tools/call echo, static token', work: 'echo', tools: 3, target, token: TOKEN },
  ]);
  return rounds(jobs, options, (job) => measureHttp(job, options), tell);
}
