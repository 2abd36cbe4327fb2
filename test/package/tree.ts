/** Reads the repository for the structure tests: files, lines, imports. Judges nothing. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the repository, absolute. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The words of the rows that are built: crate, twin, seam section, cases, vectors. */
export const WORDS = ['codec', 'registry', 'pool', 'metrics', 'serve'] as const;

const OUTPUT = new Set(['node_modules', 'target', 'dist', 'runs', '.git', '.setup']);

/** Files below a folder, relative to the root with `/`, sorted; build output is left out. */
export function files(folder: string, ending = ''): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => !OUTPUT.has(entry.name))
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory()) return files(path, ending);
      return path.endsWith(ending) ? [path] : [];
    })
    .sort();
}

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');
export const json = <T>(path: string): T => JSON.parse(read(path)) as T;
export const lineCount = (path: string): number => read(path).trimEnd().split('\n').length;

/** An import of one source file: `target` is a path of this repository, or the specifier as it is for a package. */
export interface Import {
  readonly from: string;
  readonly target: string;
}

/** Static and dynamic imports and re-exports of the TypeScript files below a folder. */
export function imports(folder: string): Import[] {
  return files(folder, '.ts').flatMap((from) => importsOf(from, read(from)));
}

/** The imports in one source text. */
export function importsOf(from: string, text: string): Import[] {
  const found = text.matchAll(/(?:^|\s)(?:import|from|import\(|require\()\s*['"]([^'"]+)['"]/g);
  return [...found].map(([, specifier = '']) => {
    if (!specifier.startsWith('.')) return { from, target: specifier };
    return { from, target: posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts') };
  });
}

/** package.json, as far as the tests look at it. */
export interface PackageJson {
  name: string;
  version: string;
  main?: string;
  files?: string[];
  os?: string[];
  cpu?: string[];
  libc?: string[];
  scripts?: Record<string, string>;
  engines?: Record<string, string>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  napi?: { binaryName: string; targets: string[] };
}

export const packageJson = (): PackageJson => json<PackageJson>('package.json');

/** Whether this run has a native build (scripts/runners/ts.mjs says so); a plain `vitest` run assumes one. */
export const hasNative = process.env.THIRDRAIL_TEST_NATIVE !== '0';
