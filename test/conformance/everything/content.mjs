// Tools that answer at once: every kind of content, an error, progress, log messages, schemas, mirrored headers.
import { setTimeout as sleep } from 'node:timers/promises';
import { AUDIO, IMAGE, text } from './samples.mjs';

/** @param {import('thirdrail').McpServer} server */
export function registerContent(server) {
  // First in the list, because the suite calls the first tool with `{}`.
  server.registerTool('test_simple_text', { description: 'One text block' }, () =>
    text('This is a simple text response for testing.'),
  );
  server.registerTool('test_image_content', { description: 'One image block' }, () => ({ content: [IMAGE] }));
  server.registerTool('test_audio_content', { description: 'One audio block' }, () => ({ content: [AUDIO] }));
  server.registerTool('test_embedded_resource', { description: 'One embedded resource' }, () => ({
    content: [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  }));
  server.registerTool('test_multiple_content_types', { description: 'Text, image and resource' }, () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      IMAGE,
      embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  }));
  server.registerTool('test_error_handling', { description: 'Always fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  server.registerTool('test_tool_with_progress', { description: 'Reports progress three times' }, async (ctx) => {
    for (const done of [0, 50, 100]) {
      ctx.progress(done, 100, `Completed step ${done} of 100`);
      await sleep(50);
    }
    return text('Tool with progress executed successfully');
  });
  server.registerTool('test_tool_with_logging', { description: 'Logs three times' }, async (ctx) => {
    for (const message of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      ctx.log('info', message);
      await sleep(50);
    }
    return text('Tool with logging executed successfully');
  });
  server.registerTool('test_logging_tool', { description: 'Logs once' }, (ctx) => {
    ctx.log('info', 'logged by test_logging_tool');
    return text('Logged, if a level was asked for');
  });
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Lists its schema as it is', inputSchema: SCHEMA },
    () => text('JSON Schema 2020-12 tool called'),
  );
  server.registerTool(
    'test_x_mcp_header',
    {
      description: 'One argument is mirrored in a header',
      inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } },
    },
    ({ region }) => text(`Region: ${region ?? 'none'}`),
  );
}

function embedded(uri, mimeType, body) {
  return { type: 'resource', resource: { uri, mimeType, text: body } };
}

const SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};
