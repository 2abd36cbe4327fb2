// The tools that every server under test offers: echo, add, blob, then fillers of a realistic size (5 to 8 properties).
// Schemas are built once per process, outside any request: the rivals' advice to keep their factories cheap is followed.
import * as z from 'zod';

const textResult = (text) => ({ content: [{ type: 'text', text }] });
const FILL = 'Pack my box with five dozen liquor jugs; 9876543210. ';

const basic = [
  {
    name: 'echo',
    description: 'Returns the message unchanged.',
    shape: { message: z.string().describe('What to send back') },
    run: ({ message }) => textResult(message),
  },
  {
    name: 'add',
    description: 'Adds two numbers.',
    shape: { a: z.number(), b: z.number() },
    run: ({ a, b }) => textResult(String(a + b)),
  },
  {
    name: 'blob',
    description: 'Returns text of the wanted length.',
    shape: {
      bytes: z
        .number()
        .int()
        .min(0)
        .max(1 << 20),
    },
    run: ({ bytes }) => textResult(FILL.repeat(Math.ceil(bytes / FILL.length)).slice(0, bytes)),
  },
];

const THINGS = [
  'account',
  'booking',
  'branch',
  'contract',
  'incident',
  'message',
  'parcel',
  'release',
  'sensor',
  'visit',
];
const DEEDS = ['find', 'open', 'change', 'close', 'export'];

function filler(index) {
  const thing = THINGS[index % THINGS.length];
  const deed = DEEDS[Math.floor(index / THINGS.length) % DEEDS.length];
  const shape = {
    project: z.string().describe(`Key of the project in which the ${thing} lives`),
    text: z.string().max(400).describe(`Words that the ${thing} has to contain before it is taken into account`),
    state: z.enum(['new', 'active', 'waiting', 'done']).optional().describe(`Take only a ${thing} in this state`),
    count: z.number().int().min(1).max(200).optional().describe('Largest number of entries in the answer'),
    marks: z.array(z.string()).optional().describe('Marks which every entry must carry'),
  };
  // The number of properties differs from tool to tool, as it does in real catalogues.
  if (index % 4 > 0) shape.hidden = z.boolean().optional().describe('Whether hidden entries are taken as well');
  if (index % 4 > 1) {
    shape.between = z
      .object({ first: z.string().describe('First day, ISO 8601'), last: z.string().describe('Last day, ISO 8601') })
      .optional()
      .describe('Only entries of these days');
  }
  if (index % 4 > 2)
    shape.order = z.enum(['name', 'created', 'changed']).optional().describe('What the answer is sorted by');
  const description =
    `Use this to ${deed} one ${thing} or several of a project. ` +
    'Entries that the caller may not see are left out without notice.';
  return { name: `${deed}_${thing}`, description, shape, run: () => textResult('done') };
}

/** The most tools that {@link catalogue} gives: the three basic ones and one filler per deed and thing. */
export const MOST_TOOLS = basic.length + THINGS.length * DEEDS.length;

/** @param {number} count how many tools, at most {@link MOST_TOOLS}, in a fixed order */
export function catalogue(count) {
  if (!(count >= 1 && count <= MOST_TOOLS)) throw new Error(`tools: 1 to ${MOST_TOOLS}, not ${count}`);
  const fillers = Array.from({ length: Math.max(0, count - basic.length) }, (_, index) => filler(index));
  return [...basic, ...fillers].slice(0, count).map((tool) => ({ ...tool, schema: z.object(tool.shape) }));
}

/** The same tools as plain definitions (JSON Schema), the way `tools/list` shows them. */
export function definitions(count) {
  return catalogue(count).map(({ name, description, schema }) => ({
    name,
    description,
    inputSchema: z.toJSONSchema(schema),
  }));
}

/** What the server processes are told on their command line: `--port P --tools N`. */
export function told() {
  const value = (name, otherwise) => {
    const at = process.argv.indexOf(name);
    return at < 0 ? otherwise : Number(process.argv[at + 1]);
  };
  return { port: value('--port', 0), tools: catalogue(value('--tools', 3)) };
}
