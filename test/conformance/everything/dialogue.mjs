// Tools that ask the client something: sampling and elicitation in either era, capabilities, streams that close early.
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from './samples.mjs';

/** @param {import('thirdrail').McpServer} server */
export function registerDialogue(server) {
  server.registerTool('test_sampling', config('Asks the model of the client', 'prompt'), async ({ prompt }, ctx) => {
    const answer = await ctx.sample({
      messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
      maxTokens: 100,
    });
    return text(`LLM response: ${answer.content.type === 'text' ? answer.content.text : answer.content.type}`);
  });
  server.registerTool('test_elicitation', config('Asks the user', 'message'), async ({ message }, ctx) => {
    const answer = await ctx.elicit({
      message,
      requestedSchema: {
        type: 'object',
        properties: { response: { type: 'string', description: "User's response" } },
      },
    });
    return told(answer);
  });
  server.registerTool('test_elicitation_sep1034_defaults', { description: 'A form with defaults' }, async (ctx) =>
    told(await ctx.elicit({ message: 'Please review the defaults', requestedSchema: DEFAULTS })),
  );
  server.registerTool('test_elicitation_sep1330_enums', { description: 'A form of enumerations' }, async (ctx) =>
    told(await ctx.elicit({ message: 'Please choose', requestedSchema: ENUMS })),
  );
  server.registerTool('test_missing_capability', { description: 'Needs sampling' }, (ctx) => {
    ctx.requireCapability('sampling');
    return text('The client can sample');
  });
  server.registerTool('test_streaming_elicitation', { description: 'Asks in the course of a stream' }, async (ctx) => {
    ctx.progress(1, 2);
    return told(
      await ctx.elicit({
        message: 'Go on?',
        requestedSchema: { type: 'object', properties: { go: { type: 'boolean' } } },
      }),
    );
  });
  // Polling: the stream is closed before the result, and the client comes back for it.
  server.registerTool('test_reconnection', { description: 'Closes its stream early' }, async (ctx) => {
    ctx.http?.closeSSE?.();
    await sleep(100);
    return text('Reconnection test completed');
  });
  const changes = [
    ['test_trigger_tool_change', () => server.sendToolListChanged()],
    ['test_trigger_prompt_change', () => server.sendPromptListChanged()],
  ];
  for (const [name, publish] of changes) {
    server.registerTool(name, { description: 'Says that a list changed' }, () => {
      publish();
      return text('Published');
    });
  }
}

function config(description, key) {
  return {
    description,
    inputSchema: { type: 'object', properties: { [key]: { type: 'string' } }, required: [key] },
  };
}

function told(answer) {
  return text(`Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);
}

const DEFAULTS = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
};

const CHOICES = ['option1', 'option2', 'option3'];
const TITLED = [1, 2, 3].map((number) => ({ const: `value${number}`, title: `Option ${number}` }));
const ENUMS = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: CHOICES },
    titledSingle: { type: 'string', oneOf: TITLED },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option 1', 'Option 2', 'Option 3'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: CHOICES } },
    titledMulti: { type: 'array', items: { anyOf: TITLED } },
  },
};
