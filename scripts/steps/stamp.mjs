// Remembers what a step was last done for, so that it is skipped when nothing changed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { root } from './root.mjs';

/** All files below a folder (or the file itself), sorted, relative to the root, with `/`. Build output is left out. */
export function filesUnder(path) {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  if (statSync(full).isFile()) return [path];
  return readdirSync(full, { withFileTypes: true })
    .filter((entry) => entry.name !== 'target' && entry.name !== 'node_modules')
    .flatMap((entry) => filesUnder(join(path, entry.name)))
    .map((file) => relative(root, join(root, file)).split(sep).join('/'))
    .sort();
}

/** Hash over the names and contents of files. Contents, not times: a checkout changes times and nothing else. */
export function hashOf(paths, ...extra) {
  const hash = createHash('sha256');
  for (const file of paths.flatMap(filesUnder)) hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  for (const text of extra) hash.update(`\0${text}`);
  return hash.digest('hex');
}

/** Whether the stamp file says exactly this. */
export function stamped(file, value) {
  return existsSync(file) && readFileSync(file, 'utf8') === value;
}

/** Writes the stamp. Only after the step succeeded. */
export function stamp(file, value) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, value);
}
