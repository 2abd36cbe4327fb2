/** Who may depend on whom, in Rust: leaves know nobody of ours, and each heavy dependency has one home. */
import { describe, expect, it } from 'vitest';
import { files, read } from './tree.js';

/** Crates (folder names) that may name a dependency. What is not listed here is small enough for anyone. */
const HOMES: Record<string, string[]> = {
  napi: ['node'],
  'napi-derive': ['node'],
  'napi-build': ['node'],
  mimalloc: ['node'],
  'libmimalloc-sys': ['node'],
  hyper: ['serve'],
  rustls: ['serve'],
  'tokio-rustls': ['serve'],
  flate2: ['serve'],
  tokio: ['serve'],
  'simd-json': ['codec'],
  dashmap: ['registry', 'serve'],
};

/** Crates of ours that each crate may build on. */
const BELOW: Record<string, string[]> = {
  codec: [],
  registry: [],
  pool: [],
  metrics: [],
  serve: ['codec', 'registry', 'pool', 'metrics'],
  node: ['codec', 'registry', 'pool', 'metrics', 'serve'],
};

/** Names in the dependency tables of a manifest; those of tests and benches are nobody's business. */
function dependencies(manifest: string): string[] {
  const names: string[] = [];
  let table = '';
  for (const line of manifest.split('\n')) {
    table = /^\[([^\]]+(?:\][^\]]*)*)\]\s*$/.exec(line)?.[1] ?? table;
    const wanted = /(^|\.)(build-)?dependencies$/.test(table) && !table.endsWith('dev-dependencies');
    const name = /^([A-Za-z0-9_-]+)(?:\.[a-z]+)?\s*=/.exec(line)?.[1];
    if (wanted && name !== undefined) names.push(name);
    const own = /(?:^|\.)(?:build-)?dependencies\.([A-Za-z0-9_-]+)$/.exec(table)?.[1];
    if (own !== undefined && line.startsWith('[')) names.push(own);
  }
  return names;
}

const crates = files('crates', 'Cargo.toml').map((path) => path.split('/')[1] ?? '');

it('reads dependency tables in every form', () => {
  const manifest = `[dependencies]\na = "1"\nb.workspace = true\n[dev-dependencies]\nc = "1"\n[target.'cfg(unix)'.dependencies]\nd = { version = "1" }\n[dependencies.e]\nversion = "1"\n[features]\nf = []`;
  expect(dependencies(manifest)).toEqual(['a', 'b', 'd', 'e']);
});

describe.each(crates)('the crate %s', (crate) => {
  const names = dependencies(read(`crates/${crate}/Cargo.toml`));

  it('builds on nothing above it', () => {
    expect(BELOW).toHaveProperty(crate);
    const ours = names.filter((name) => name.startsWith('thirdrail-')).map((name) => name.slice('thirdrail-'.length));
    expect(ours.filter((name) => !BELOW[crate]?.includes(name))).toEqual([]);
  });

  it('names no dependency that has its home elsewhere', () => {
    expect(names.filter((name) => HOMES[name] !== undefined && !HOMES[name].includes(crate))).toEqual([]);
  });

  it('has the lints of the workspace', () => {
    expect(read(`crates/${crate}/Cargo.toml`)).toMatch(/^\[lints\]\nworkspace = true$/m);
  });
});

it('uses the dependencies that have a home there', () => {
  for (const [name, homes] of Object.entries(HOMES)) {
    const users = crates.filter((crate) => dependencies(read(`crates/${crate}/Cargo.toml`)).includes(name));
    expect(users, `${name} lives in ${homes.join(', ')}`).not.toEqual([]);
  }
});

it('is a member of the workspace', () => {
  const workspace = read('Cargo.toml');
  for (const crate of crates) expect(workspace).toContain(`"crates/${crate}"`);
});
