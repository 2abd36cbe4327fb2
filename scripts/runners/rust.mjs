// cargo test over the workspace, all crates even when one fails.
import { run } from '../steps/run.mjs';
import { readLibtest } from './tally.mjs';

export async function testRust() {
  return [readLibtest('cargo test', await run('cargo', ['test', '--workspace', '--no-fail-fast', '--quiet']))];
}
