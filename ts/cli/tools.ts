/**
 * The tools of the echo server: `echo`, `add`, `blob`, and as many realistic others as are asked for.
 *
 * The others only fill lists to the size that real servers have (about 1 KB of JSON a tool). Schemas are plain JSON Schema:
 * this server is what start-up time is measured with, and must not pay for a schema library that it does not need.
 */
export interface EchoTool {
  name: string;
  description: string;
  inputSchema: Record<string, unknown>;
  run(args: Record<string, unknown>): string;
}

const MAX_BLOB = 1024 * 1024;
const blobs = new Map<number, string>();

/** `size` bytes of text; kept for the few sizes that a benchmark uses. */
function blob(size: number): string {
  let text = blobs.get(size);
  if (text === undefined) {
    const line = 'All work and no play makes a dull benchmark; 0123456789 bytes later it still does. ';
    text = line.repeat(Math.ceil(size / line.length)).slice(0, size);
    if (blobs.size < 8) blobs.set(size, text);
  }
  return text;
}

const FIRST: readonly EchoTool[] = [
  {
    name: 'echo',
    description: 'Returns the message that it is given.',
    inputSchema: {
      type: 'object',
      properties: { message: { type: 'string', description: 'Text to return' } },
      required: ['message'],
    },
    run: ({ message }) => message as string,
  },
  {
    name: 'add',
    description: 'Adds two numbers.',
    inputSchema: {
      type: 'object',
      properties: {
        a: { type: 'number', description: 'First summand' },
        b: { type: 'number', description: 'Second summand' },
      },
      required: ['a', 'b'],
    },
    run: ({ a, b }) => String((a as number) + (b as number)),
  },
  {
    name: 'blob',
    description: 'Returns as many bytes of text as are asked for.',
    inputSchema: {
      type: 'object',
      properties: { bytes: { type: 'integer', minimum: 0, maximum: MAX_BLOB, description: 'Length of the text' } },
      required: ['bytes'],
    },
    run: ({ bytes }) => blob(bytes as number),
  },
];

const SUBJECTS = [
  ['repository', 'repositories', 'source code repository'],
  ['shipment', 'shipments', 'parcel or freight shipment'],
  ['contract', 'contracts', 'signed customer contract'],
  ['incident', 'incidents', 'production incident'],
  ['payment', 'payments', 'card or bank payment'],
  ['meeting', 'meetings', 'calendar meeting'],
  ['dashboard', 'dashboards', 'analytics dashboard'],
  ['release', 'releases', 'software release'],
] as const;
const ACTIONS = [
  ['find', 'Finds', 'that match the given conditions, newest first'],
  ['open', 'Opens', 'with the details that are given, and returns its identifier'],
  ['change', 'Changes', 'leaving every field that is not named as it was'],
  ['close', 'Closes', 'with a reason that everybody who follows it can read'],
  ['export', 'Exports', 'as a file that can be downloaded for one day'],
  ['assign', 'Assigns', 'to a person or team and tells them about it'],
  ['compare', 'Compares', 'with an earlier state and lists the differences'],
] as const;

type Properties = Record<string, Record<string, unknown>>;

/** The n-th filler: four to eight properties of the kinds that real tools have. */
function filler(n: number): EchoTool {
  const [subject, plural, meaning] = SUBJECTS[n % SUBJECTS.length] as (typeof SUBJECTS)[number];
  const [action, acts, how] = ACTIONS[Math.floor(n / SUBJECTS.length) % ACTIONS.length] as (typeof ACTIONS)[number];
  const round = Math.floor(n / (SUBJECTS.length * ACTIONS.length));
  const properties: Properties = {
    account: { type: 'string', description: `Identifier of the account to which the ${subject} belongs` },
    text: { type: 'string', maxLength: 400, description: `Words to look for in the title and notes of ${plural}` },
    state: {
      type: 'string',
      enum: ['draft', 'active', 'blocked', 'done'],
      description: `Take only ${plural} in this state into account`,
    },
    labels: {
      type: 'array',
      items: { type: 'string' },
      maxItems: 20,
      description: `Labels of which the ${subject} has to carry every one`,
    },
  };
  if (n % 5 >= 1) {
    properties.count = {
      type: 'integer',
      minimum: 1,
      maximum: 200,
      description: `How many ${plural} to return at most`,
    };
  }
  if (n % 5 >= 2) {
    properties.period = {
      type: 'object',
      properties: {
        since: { type: 'string', description: 'First day, ISO 8601' },
        until: { type: 'string', description: 'Last day, ISO 8601' },
      },
      required: ['since'],
      description: `Days between which the ${subject} was last touched`,
    };
  }
  if (n % 5 >= 3) {
    properties.dryRun = { type: 'boolean', description: `Say what would happen to the ${subject} and change nothing` };
  }
  if (n % 5 >= 4) {
    properties.order = { type: 'string', enum: ['newest', 'oldest', 'largest'], description: 'Order of the answer' };
  }
  return {
    name: `${action}_${subject}${round === 0 ? '' : `_${round + 1}`}`,
    description: `${acts} ${plural} (each a ${meaning}) ${how}. Obeys the access rights of the caller.`,
    inputSchema: { type: 'object', properties, required: ['account', 'text'] },
    run: () => 'ok',
  };
}

/** The first `count` tools; the first two are always `echo` and `add`. */
export function echoTools(count: number): EchoTool[] {
  return Array.from({ length: count }, (_, n) => FIRST[n] ?? filler(n - FIRST.length));
}

/**
 * Tools from a file's content (`[{name, description, inputSchema}]`), after `echo` and `add`, which no file has to have.
 * @throws Error when the content is something else
 */
export function toolsFrom(content: string): EchoTool[] {
  const list = JSON.parse(content) as Partial<EchoTool>[];
  if (!Array.isArray(list)) throw new Error('the tool file must hold an array');
  const own = new Map(FIRST.map((tool) => [tool.name, tool]));
  const given = list.map((tool, i): EchoTool => {
    const { name, description = '', inputSchema } = tool ?? {};
    if (typeof name !== 'string' || typeof inputSchema !== 'object') {
      throw new Error(`tool ${i} of the file needs a name and an inputSchema`);
    }
    return { name, description, inputSchema, run: own.get(name)?.run ?? (() => 'ok') };
  });
  const names = new Set(given.map((tool) => tool.name));
  return [...FIRST.slice(0, 2).filter((tool) => !names.has(tool.name)), ...given];
}
