// TypeScript -> dist/: checked and declared by tsc, bundled by rolldown (bundle.mjs). tsc never removes the output of a file
// that is gone.
import { copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, tools } from './root.mjs';
import { runNode, StepError, timed } from './run.mjs';
import { hashOf, stamp, stamped } from './stamp.mjs';

export async function compile() {
  const stampFile = join(root, 'dist/.stamp');
  const wanted = hashOf(['ts', 'tsconfig.json', 'package-lock.json', 'scripts/steps/bundle.mjs']);
  if (stamped(stampFile, wanted)) return;
  const { code, output } = await timed('compiling TypeScript', () => runNode(tools.tsc, ['-p', 'tsconfig.json']));
  if (code !== 0) throw new StepError('The TypeScript sources do not compile.', output);
  prune('dist', 'ts');
  // Loaded only when there is something to do: at the first run of all, npm install comes before.
  await timed('bundling', async () => (await import('./bundle.mjs')).bundle().then(() => ({ code: 0 })));
  // tsc does not emit declaration files that are sources themselves, yet the emitted ones refer to this.
  const types = 'engine/native/addon.d.ts';
  if (existsSync(join(root, 'ts', types))) copyFileSync(join(root, 'ts', types), join(root, 'dist', types));
  stamp(stampFile, wanted);
}

/** Removes output whose source is gone: it would be shipped in the package and keep stale imports working. */
function prune(out, source) {
  for (const entry of readdirSync(join(root, out), { withFileTypes: true })) {
    const path = `${out}/${entry.name}`;
    if (entry.isDirectory()) {
      if (existsSync(join(root, source, entry.name))) prune(path, `${source}/${entry.name}`);
      else rmSync(join(root, path), { recursive: true });
    } else if (entry.name.endsWith('.d.ts')) {
      const stem = join(root, source, entry.name.replace(/\.d\.ts$/, ''));
      if (!existsSync(`${stem}.ts`) && !existsSync(`${stem}.d.ts`)) rmSync(join(root, path));
    }
  }
}
