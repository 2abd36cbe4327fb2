// Resources: a text, a picture, one that is watched, and a template.
import { ResourceTemplate } from 'thirdrail';
import { PNG } from './samples.mjs';

/** @param {import('thirdrail').McpServer} server */
export function registerResources(server) {
  const plain = 'text/plain';
  server.registerResource('static-text', 'test://static-text', { mimeType: plain }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: plain, text: 'This is the content of the static text resource.' }],
  }));
  server.registerResource('static-binary', 'test://static-binary', { mimeType: 'image/png' }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'image/png', blob: PNG }],
  }));
  server.registerResource('watched-resource', 'test://watched-resource', { mimeType: plain }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: plain, text: 'Watched resource content' }],
  }));
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  server.registerResource('template', template, { mimeType: 'application/json' }, (uri, { id }) => ({
    contents: [
      {
        uri: uri.href,
        mimeType: 'application/json',
        text: JSON.stringify({ id, templateTest: true, data: `Data for ${id}` }),
      },
    ],
  }));
}
