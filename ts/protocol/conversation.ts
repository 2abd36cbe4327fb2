/**
 * Whether the messages of a sampling request can follow each other: tool results stand alone in their message, and answer
 * exactly the tool uses of the message before.
 */
import { asMembers } from './incoming.js';

/** What is wrong with a conversation; undefined when nothing is. What is no message at all is not looked at. */
export function conversationFault(messages: readonly unknown[]): string | undefined {
  let open: ReadonlySet<unknown> = new Set();
  for (const [index, message] of messages.entries()) {
    const blocks = blocksOf(message);
    const results = blocks.filter((block) => block?.type === 'tool_result');
    if (results.length > 0 && results.length < blocks.length) {
      return `messages[${index}] has tool results and other content: tool results stand alone`;
    }
    const given = new Set(results.map((block) => block?.toolUseId));
    if (given.size !== open.size || ![...given].every((id) => open.has(id))) {
      return `messages[${index}] must have a tool result for every tool use of the message before, and no other`;
    }
    open = new Set(blocks.filter((block) => block?.type === 'tool_use').map((block) => block?.id));
  }
  return undefined;
}

function blocksOf(message: unknown): (Record<string, unknown> | undefined)[] {
  const content = asMembers(message)?.content;
  return (Array.isArray(content) ? content : [content]).map(asMembers);
}
