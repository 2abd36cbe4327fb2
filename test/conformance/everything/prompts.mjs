// Prompts: simple, with arguments (completed), with a resource, with a picture, and one that asks first.
import { completable } from 'thirdrail';
import { z } from 'zod';
import { IMAGE } from './samples.mjs';

/** @param {import('thirdrail').McpServer} server */
export function registerPrompts(server) {
  server.registerPrompt('test_simple_prompt', { description: 'One message' }, () => ({
    messages: [said('This is a simple prompt for testing.')],
  }));
  const complete = (value) => ['test', 'testing', 'tested'].filter((word) => word.startsWith(value));
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'Two arguments',
      argsSchema: { arg1: completable(z.string(), complete), arg2: completable(z.string(), complete) },
    },
    ({ arg1, arg2 }) => ({ messages: [said(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Embeds a resource', argsSchema: { resourceUri: z.string() } },
    ({ resourceUri }) => ({
      messages: [
        {
          role: 'user',
          content: {
            type: 'resource',
            resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
          },
        },
        said('Please process the embedded resource above.'),
      ],
    }),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'Shows a picture' }, () => ({
    messages: [{ role: 'user', content: IMAGE }, said('Please analyze the image above.')],
  }));
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks before it answers' }, async (ctx) => {
    const answer = await ctx.elicit(
      {
        message: 'What is the context?',
        requestedSchema: { type: 'object', properties: { context: { type: 'string' } }, required: ['context'] },
      },
      { key: 'user_context' },
    );
    return { messages: [said(`Context: ${answer.content?.context ?? answer.action}`)] };
  });
}

function said(value) {
  return { role: 'user', content: { type: 'text', text: value } };
}
