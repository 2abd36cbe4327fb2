/** One word, one row: every word names a crate, its JavaScript twin, a section of the seam, a case file and vectors. */
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { files, read, WORDS } from './tree.js';

/**
 * Files that only one side has, each with its reason. Nothing else may differ: whoever has read one listing has read the
 * other.
 */
const ONE_SIDED: Record<string, Record<string, string>> = {
  codec: {
    'simd/x86': 'vector instructions; the twin has tables, in simd.ts',
    'simd/neon': 'vector instructions; the twin has tables, in simd.ts',
    'simd/scalar': 'vector instructions; the twin has tables, in simd.ts',
  },
  registry: {
    handle: 'the shape for the binding; the twin has it already',
    word: 'interned names; JavaScript strings are interned by V8',
  },
  pool: { handle: 'the shape for the binding; the twin has it already' },
  metrics: {
    handle: 'the shape for the binding; the twin has it already',
    recorder: 'what one of several threads records with; the twin has one thread',
  },
  serve: {
    body: 'reading a body from hyper; in the twin a part of the call, as node:http pushes it',
    config: 'the configuration in Rust types; the twin takes that of the seam',
    handoff: 'the queues between threads; the twin has one thread',
    service: 'what hyper calls per request; the twin has call, which also holds what node:http keeps',
    socket: 'bytes of a connection as hyper wants them; the twin has the sockets of Node',
    stream: 'what waits for hyper to take it; the twin writes to streams of Node, which keep that',
    stats: 'counters per thread; the twin adds to the array of the seam',
    thread: 'I/O threads; the twin has none of its own',
    timer: 'time for hyper, from tokio; the twin has the timers of Node',
    call: 'the request of node:http between head and reply; see service and body',
    requests: 'requests on their way in; see service',
    intake: 'scan, token and door of one message, for listener and mount; see service',
    sweep: 'what node:http does not watch of time; see timer and connection',
    mount: 'requests that a server of Node accepted; they never leave JavaScript',
    mountcall: 'one request of a mount; see there',
    lane: 'the short way beside node:http; hyper needs none',
    lanehead: 'the heads that the lane takes; hyper reads all of them',
    ends: 'stdio and WebSocket, which are served in JavaScript with either engine',
    linewriter: 'stdio, which is served in JavaScript with either engine',
    pipe: 'stdio, which is served in JavaScript with either engine',
  },
};

const modules = (folder: string, ending: string): string[] =>
  files(folder, ending)
    .map((path) => path.slice(folder.length + 1, -ending.length))
    .filter((name) => basename(name) !== 'tests');

describe.each(WORDS)('the row of %s', (word) => {
  const crate = modules(`crates/${word}/src`, '.rs').map((name) => (name === 'lib' ? 'index' : name));
  const twin = modules(`ts/engine/js/${word}`, '.ts');
  const excused = Object.keys(ONE_SIDED[word] ?? {});

  it('has the same files in the crate and in its twin', () => {
    expect(crate).toContain('index');
    expect(twin).toContain('index');
    expect(crate.filter((name) => !twin.includes(name) && !excused.includes(name))).toEqual([]);
    expect(twin.filter((name) => !crate.includes(name) && !excused.includes(name))).toEqual([]);
  });

  it('excuses no file that is gone or on both sides', () => {
    expect(excused.filter((name) => crate.includes(name) === twin.includes(name))).toEqual([]);
  });

  it('has a section and a member in the seam', () => {
    const seam = read('ts/engine/engine.ts');
    expect(seam).toMatch(new RegExp(`^// -{20,} ${word}$`, 'm'));
    expect(seam).toMatch(new RegExp(`^ {2}readonly ${word}: `, 'm'));
  });

  it('has cases that both engines run', () => {
    expect(read(`test/engine/${word}.case.ts`)).toContain(`export function ${word}Cases(`);
    for (const engine of ['js', 'native']) expect(read(`test/engine/${engine}.test.ts`)).toContain(`${word}Cases(`);
  });

  it('has vectors, read by cargo and by vitest', () => {
    expect(files(`test/vectors/${word}`, '.json')).not.toEqual([]);
    const readsVectors = (path: string) => read(path).includes(`vectors/${word}`);
    expect(files(`crates/${word}`, '.rs').some(readsVectors)).toBe(true);
    expect(files('test/engine', '.ts').some(readsVectors)).toBe(true);
  });
});

it('has no crate and no twin without a row', () => {
  const folders = (folder: string) => new Set(files(folder).map((path) => path.slice(folder.length + 1).split('/')[0]));
  const words: string[] = [...WORDS];
  expect([...folders('crates')].filter((name) => name !== 'node' && !words.includes(name ?? ''))).toEqual([]);
  expect([...folders('ts/engine/js')].filter((name) => name !== 'index.ts' && !words.includes(name ?? ''))).toEqual([]);
});
