// docs/getting-started.md: the calculator answers the request that the page shows.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

export default async ({ listener }) => {
  if (spawnSync('curl', ['--version']).error !== undefined) return;
  const page = readFileSync(new URL('../../../docs/getting-started.md', import.meta.url), 'utf8');
  const command = /^curl -s [\s\S]*?(?=^```)/m.exec(page)[0].replace('http://127.0.0.1:3000/mcp', listener.url);
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] });
  let answer = '';
  child.stdout.on('data', (chunk) => {
    answer += chunk;
  });
  await once(child, 'close');
  assert.equal(JSON.parse(answer).result.content[0].text, '3');
};
