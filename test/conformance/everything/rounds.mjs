// Multi-round-trip requests (2026-07-28): what a handler asks comes back with the retry, and it runs again from the start.
import { text } from './samples.mjs';

const NAME = 'test_input_required_result_';

/** @param {import('thirdrail').McpServer} server */
export function registerRounds(server) {
  const tool = (name, run) => server.registerTool(NAME + name, { description: `Round trips: ${name}` }, run);
  tool('elicitation', async (ctx) => text(`Hello, ${await name(ctx)}!`));
  tool('sampling', async (ctx) => text(`The capital: ${await capital(ctx)}`));
  tool('list_roots', async (ctx) => text(`Roots: ${await roots(ctx)}`));
  // A step that was done before the question is kept in the sealed state, so that a state has to be sent.
  for (const kind of ['request_state', 'tampered_state']) {
    tool(kind, async (ctx) => {
      const at = await ctx.once('started', () => new Date().toISOString());
      const requestedSchema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] };
      await ctx.elicit({ message: 'Please confirm', requestedSchema }, { key: 'confirm' });
      return text(`State verified: state-ok since ${at}`);
    });
  }
  tool('multiple_inputs', async (ctx) => {
    await ctx.once('started', () => true);
    const all = await Promise.all([name(ctx), capital(ctx), roots(ctx)]);
    return text(all.join('; '));
  });
  tool('multi_round', async (ctx) => {
    await ctx.once('started', () => true);
    const first = await name(ctx);
    const color = await ask(ctx, 'favorite_color', 'What is your favorite color?', 'color');
    return text(`${first} likes ${color}`);
  });
  tool('capabilities', async (ctx) => {
    const can = ctx.clientCapabilities;
    const asked = [];
    if (can.elicitation !== undefined) asked.push(name(ctx));
    if (can.sampling !== undefined) asked.push(capital(ctx));
    if (can.roots !== undefined) asked.push(roots(ctx));
    return text((await Promise.all(asked)).join('; '));
  });
}

const name = (ctx) => ask(ctx, 'user_name', 'What is your name?', 'name');

async function ask(ctx, key, message, field) {
  const requestedSchema = { type: 'object', properties: { [field]: { type: 'string' } }, required: [field] };
  const answer = await ctx.elicit({ message, requestedSchema }, { key });
  return String(answer.content?.[field] ?? answer.action);
}

async function capital(ctx) {
  const messages = [{ role: 'user', content: { type: 'text', text: 'What is the capital of France?' } }];
  const answer = await ctx.sample({ messages, maxTokens: 100 }, { key: 'capital' });
  return answer.content.type === 'text' ? answer.content.text : answer.content.type;
}

async function roots(ctx) {
  const answer = await ctx.listRoots({ key: 'client_roots' });
  return answer.roots.map((root) => root.uri).join(', ');
}
