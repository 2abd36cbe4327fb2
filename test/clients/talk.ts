/**
 * The conversation that every official client must be able to have, over whatever transport and in whatever era: list,
 * call, be told what was wrong, follow progress, cancel. The test files say how their client connects.
 */
import { expect, it } from 'vitest';
import { TOOLS } from './fixtures/offer.mjs';

export interface CallOptions {
  signal?: AbortSignal;
  onprogress?: (progress: { progress: number; total?: number | undefined; message?: string | undefined }) => void;
}
type Params<T = Record<string, string>> = { name: string; arguments?: T };
type Result<Key extends string, Item = { name: string }> = Promise<{ [key in Key]: Item[] }>;

/** What the clients of both SDK generations have in common. */
interface OfficialClient {
  getServerVersion(): { name: string; version: string } | undefined;
  getServerCapabilities(): object | undefined;
  getInstructions(): string | undefined;
  listTools(): Result<'tools', { name: string; inputSchema: object }>;
  listResources(): Result<'resources', { name: string; uri: string }>;
  listResourceTemplates(): Result<'resourceTemplates', { name: string; uriTemplate: string }>;
  listPrompts(): Result<'prompts', { name: string; arguments?: object[] | undefined }>;
  readResource(params: { uri: string }): Result<'contents', object>;
  getPrompt(params: Params): Result<'messages', object>;
}
export interface Talk {
  readonly client: OfficialClient;
  /** `callTool`, whose arguments stand in another order in each generation. */
  call(params: Params<Record<string, unknown>>, options?: CallOptions): Promise<unknown>;
}

const text = (value: string) => ({ content: [{ type: 'text', text: value }] });
const problem = (pattern: RegExp) => ({
  isError: true,
  content: [{ type: 'text', text: expect.stringMatching(pattern) }],
});

/** Calls `steps` and says of each step that it was seen, without which the tool does not go on. */
export function steps(
  call: Talk['call'],
  count: number,
  token: string,
  heard: NonNullable<CallOptions['onprogress']>,
): Promise<unknown> {
  const said: Promise<unknown>[] = [];
  const onprogress: CallOptions['onprogress'] = (progress) => {
    heard(progress);
    said.push(call({ name: 'seen', arguments: { token: `${token} ${progress.progress}` } }));
  };
  const result = call({ name: 'steps', arguments: { count, token } }, { onprogress });
  return result.then(async (value) => {
    await Promise.all(said);
    return value;
  });
}

/** Declares the tests. `connect` gives a client that is connected and is closed when the test is over. */
export function talkCases(connect: () => Promise<Talk>): void {
  it('connects and learns who serves', async () => {
    const { client } = await connect();
    expect(client.getServerVersion()).toMatchObject({ name: 'clients', version: '1.0.0' });
    expect(client.getServerCapabilities()).toMatchObject({ tools: {}, resources: {}, prompts: {} });
    expect(client.getInstructions()).toBe('Use the tools.');
  });

  it('lists tools and calls them', async () => {
    const { client, call } = await connect();
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toEqual(TOOLS);
    expect(tools[0]?.inputSchema).toMatchObject({ type: 'object', required: ['message'] });
    expect(await call({ name: 'echo', arguments: { message: 'zwölf 🦀 "\\' } })).toMatchObject(text('zwölf 🦀 "\\'));
    expect(await call({ name: 'add', arguments: { a: 1.5, b: -4 } })).toMatchObject(text('-2.5'));
  });

  it('is told what was wrong', async () => {
    const { call } = await connect();
    expect(await call({ name: 'add', arguments: { a: 1 } })).toMatchObject(problem(/\bb\b/));
    const items = [{ price: 1 }, { price: 'two' }];
    expect(await call({ name: 'order', arguments: { items } })).toMatchObject(problem(/items\[1\]\.price/));
    expect(await call({ name: 'fail', arguments: {} })).toMatchObject(problem(/^thrown by the tool$/));
    await expect(call({ name: 'nobody', arguments: {} })).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('nobody'),
    });
    // And goes on as if nothing had been.
    expect(await call({ name: 'echo', arguments: { message: 'still here' } })).toMatchObject(text('still here'));
  });

  it('lists and reads resources and templates', async () => {
    const { client } = await connect();
    const { resources } = await client.listResources();
    expect(resources.map(({ name, uri }) => [name, uri])).toEqual([
      ['readme', 'memo://readme'],
      ['first note', 'memo://notes/1'],
    ]);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates).toMatchObject([{ name: 'notes', uriTemplate: 'memo://notes/{id}' }]);
    expect((await client.readResource({ uri: 'memo://readme' })).contents).toMatchObject([{ text: 'Read me.' }]);
    expect((await client.readResource({ uri: 'memo://notes/7' })).contents).toMatchObject([{ text: 'Note 7.' }]);
    await expect(client.readResource({ uri: 'memo://nowhere' })).rejects.toThrow(/not found/i);
  });

  it('lists and gets prompts', async () => {
    const { client } = await connect();
    const { prompts } = await client.listPrompts();
    expect(prompts.map((prompt) => prompt.name)).toEqual(['greet', 'plain']);
    expect(prompts[0]?.arguments).toMatchObject([{ name: 'name', required: true }]);
    const greeting = await client.getPrompt({ name: 'greet', arguments: { name: 'Ada' } });
    expect(greeting.messages).toMatchObject([{ role: 'user', content: { text: 'Say hello to Ada.' } }]);
    await expect(client.getPrompt({ name: 'greet', arguments: {} })).rejects.toMatchObject({ code: -32602 });
  });

  it('follows progress', async () => {
    const { call } = await connect();
    const heard: unknown[] = [];
    expect(await steps(call, 3, 'some', (progress) => void heard.push(progress))).toMatchObject(text('3 steps'));
    expect(heard).toMatchObject([1, 2, 3].map((step) => ({ progress: step, total: 3, message: `step ${step}` })));
  });

  it('cancels a call, which reaches the handler', async () => {
    const { call } = await connect();
    const cancelling = new AbortController();
    const held = call({ name: 'hold', arguments: { token: 'one' } }, { signal: cancelling.signal });
    const refused = expect(held).rejects.toThrow();
    // Another call of the same kind, which nobody cancels, must not be hit.
    const other = new AbortController();
    const kept = call({ name: 'hold', arguments: { token: 'two' } }, { signal: other.signal });
    const ended = expect(kept).rejects.toThrow();
    for (const token of ['one', 'two']) await call({ name: 'started', arguments: { token } });
    cancelling.abort('no longer wanted');
    expect(await call({ name: 'stopped', arguments: { token: 'one' } })).toMatchObject(text('AbortError'));
    await refused;
    let wasHit = false;
    const stopped = call({ name: 'stopped', arguments: { token: 'two' } }).then((result) => {
      wasHit = true;
      return result;
    });
    expect(await call({ name: 'echo', arguments: { message: 'on' } })).toMatchObject(text('on'));
    expect(wasHit).toBe(false);
    other.abort('now this one too');
    expect(await stopped).toMatchObject(text('AbortError'));
    await ended;
  });
}
