// docs/tasks.md: a report is a task, which asks before it ends.
import assert from 'node:assert/strict';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {
    elicitation: {},
    extensions: { 'io.modelcontextprotocol/tasks': {} },
  },
};

async function ask(url, method, params) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      'mcp-name': params.name ?? params.taskId,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: META } }),
  });
  return (await response.json()).result;
}

export default async ({ listener, tasks }) => {
  const { url } = listener;
  const { taskId, resultType } = await ask(url, 'tools/call', { name: 'report', arguments: { pages: 3 } });
  assert.equal(resultType, 'task');
  let task = await ask(url, 'tasks/get', { taskId });
  while (task.status === 'working') task = await ask(url, 'tasks/get', { taskId });
  assert.equal(task.statusMessage, 'page 3 of 3');
  const [key] = Object.keys(task.inputRequests);
  const inputResponses = { [key]: { action: 'accept', content: { publish: true } } };
  await ask(url, 'tasks/update', { taskId, inputResponses });
  while (task.status !== 'completed') task = await ask(url, 'tasks/get', { taskId });
  assert.equal(task.result.content[0].text, 'Published.');
  await tasks.close();
};
