/**
 * Generators for the codec: texts that are JSON or nearly, messages that are requests or nearly, streams and how they are
 * cut. The cases run them on one engine, the differential test on both.
 */
import fc from 'fast-check';

/** Bytes of a text. Texts here hold lone surrogates as escapes only, which survive this. */
export const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8');

/** Tokens from which both JSON and its near misses are made. */
const token = fc.constantFrom(
  ...['{', '}', '[', ']', ',', ':', '"', '""', '"a"', '"\\n"', '"\\ud800"', '"\\u00e9"', '"é"', '"\\x"', '"\t"', '\\'],
  ...[
    '0',
    '-0',
    '01',
    '1.',
    '1e5',
    '1e400',
    '-',
    '12345678901234567890',
    'true',
    'false',
    'null',
    'nul',
    ' ',
    '\n',
    '😀',
  ],
);

/** Numbers in spellings that `JSON.stringify` never gives. */
const numberText = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? '-0' : String(number))),
  fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }).map(String),
  fc
    .tuple(fc.nat(999), fc.stringMatching(/^[0-9]{1,25}$/), fc.integer({ min: -340, max: 340 }))
    .map(([whole, fraction, exponent]) => `${whole}.${fraction}E${exponent}`),
);

const character = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'Z', '0', ' ', '/', 'é', '€', '\uffff', '😀', '\u007f', '\u2028') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('\\n', '\\"', '\\\\', '\\/', '\\u0041', '\\u0000', '\\ud83d\\ude00', '\\uFFFF'),
  },
);

/** String tokens, half of them with escapes where none are needed. */
const stringText = fc
  .oneof(fc.array(character, { maxLength: 12 }), fc.array(character, { minLength: 20, maxLength: 90 }))
  .map((characters) => `"${characters.join('')}"`);

const gap = fc.constantFrom('', '', '', ' ', '\n', '\t\r\n ');

const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'json' },
    fc.oneof(numberText, stringText, fc.constantFrom('true', 'false', 'null')),
    fc
      .tuple(fc.array(tie('value'), { maxLength: 4, depthIdentifier: 'json' }), gap)
      .map(([items, space]) => `[${space}${items.join(`${space},`)}${space}]`),
    fc
      .tuple(fc.array(fc.tuple(stringText, tie('value')), { maxLength: 4, depthIdentifier: 'json' }), gap)
      .map(
        ([members, space]) =>
          `{${members.map(([key, item]) => `${space}${key}${space}:${space}${item}`).join(',')}${space}}`,
      ),
  ),
}));

/** Well-formed JSON texts in unusual spellings. */
export const jsonText: fc.Arbitrary<string> = value;

/** Texts of JSON tokens in any order: mostly malformed, sometimes not. */
export const tokenText: fc.Arbitrary<string> = fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join(''));

const VERSION = 'io.modelcontextprotocol/protocolVersion';
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';

const escapedKey = (key: string) => `\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${key.slice(1)}`;
const seldom = <T>(usual: fc.Arbitrary<T>, unusual: fc.Arbitrary<T>, weight = 12) =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: unusual });

/**
 * Members in any order: at least the first `needed` keys as a rule, seldom one twice or in an escaped spelling, seldom one
 * that nobody acts on.
 */
const object = (values: Record<string, fc.Arbitrary<string>>, needed: number): fc.Arbitrary<string> => {
  const keys = Object.keys(values);
  const subset = fc
    .subarray(keys.slice(needed))
    .chain((some) => fc.shuffledSubarray([...keys.slice(0, needed), ...some], { minLength: needed + some.length }));
  const extra = fc.tuple(fc.constantFrom('cursor', '__proto__', 'x', 'names', ''), jsonText);
  return fc
    .tuple(
      seldom(subset, fc.array(fc.constantFrom(...keys), { maxLength: 6 })),
      fc.record(values),
      seldom(fc.constant(''), fc.constantFrom(...keys)),
      seldom(fc.constant([] as [string, string][]), fc.array(extra, { maxLength: 2 }), 4),
      fc.boolean(),
    )
    .map(([chosen, texts, escaped, extras, first]) => {
      const members = chosen.map((key) => [key === escaped ? escapedKey(key) : key, texts[key] as string]);
      const all = first ? [...extras, ...members] : [...members, ...extras];
      return `{${all.map(([key, text]) => `"${key}":${text}`).join(',')}}`;
    });
};

const anyOf = (...texts: string[]) => seldom(fc.constantFrom(...texts), jsonText);
const meta = object(
  {
    [VERSION]: anyOf('"2026-07-28"', '"\\u0032026"', '1'),
    [CAPABILITIES]: anyOf('{}', '{"roots":{}}'),
    progressToken: anyOf('1', '"t"', '-1.5e3'),
  },
  0,
);
const params = object(
  {
    name: anyOf('"echo"', '"e\\u0063ho"', '""'),
    uri: anyOf('"file:///a"', '"é"'),
    arguments: seldom(fc.constantFrom('{}', '{"a":[1,{"b":"]}"}]}', '{"é":"\\ud800"}'), jsonText),
    _meta: seldom(meta, jsonText),
  },
  0,
);

/** JSON-RPC messages, regular and not quite. */
export const messageText: fc.Arbitrary<string> = fc
  .tuple(
    object(
      {
        jsonrpc: seldom(fc.constantFrom('"2.0"', '"2\\u002e0"'), fc.constantFrom('"1.0"', '2.0')),
        method: anyOf('"tools/call"', '"m"', '"tools\\/call"'),
        id: seldom(fc.constantFrom('1', '"a"', '-1.5e400', `"${'a'.repeat(254)}"`), fc.constantFrom('null', 'true')),
        params: seldom(params, jsonText),
        result: jsonText,
        error: fc.constant('{"code":1,"message":"é"}'),
      },
      2,
    ),
    gap,
    gap,
  )
  .map(([text, before, after]) => before + text + after);

/** Byte strings with a few bytes changed, taken out, doubled or cut off. */
export const damaged = (text: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      text.map(bytesOf),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom('set', 'cut', 'double', 'end'), fc.integer({ min: 0, max: 255 })), {
        maxLength: 3,
      }),
    )
    .map(([start, edits]) => {
      let bytes = [...start];
      for (const [place, edit, byte] of edits) {
        const at = bytes.length === 0 ? 0 : place % bytes.length;
        if (edit === 'set') bytes[at] = byte;
        else if (edit === 'cut') bytes.splice(at, 1);
        else if (edit === 'double') bytes.splice(at, 0, bytes[at] ?? byte);
        else bytes = bytes.slice(0, at);
      }
      return Uint8Array.from(bytes);
    });

/** What a scanner should get: all of the above. */
export const scanInput: fc.Arbitrary<Uint8Array> = fc.oneof(
  messageText.map(bytesOf),
  damaged(messageText),
  jsonText.map(bytesOf),
  damaged(jsonText),
  tokenText.map(bytesOf),
  fc.uint8Array({ maxLength: 40 }),
);

const piece = fc.oneof(
  fc.constantFrom('\n', '\n', '\r', '\r\n', '\n\n', 'data: ', 'data:', 'data', 'id: 7', 'id', 'event: x', ': c', ':'),
  fc.constantFrom('retry: 10', '\ufeff', '{"a":1}', 'a', 'é', '', 'abcdefgh', '\u0000', 'data: x\n\n'),
);

/** Streams for either framer. */
export const streamBytes: fc.Arbitrary<Uint8Array> = fc
  .array(piece, { maxLength: 30 })
  .map((pieces) => bytesOf(pieces.join('')));

/** Sizes of chunks, used in turn. */
export const chunkSizes: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 1, max: 9 }), {
  minLength: 1,
  maxLength: 8,
});

/** Cuts a stream by these sizes, over and over. */
export function chunksOf(stream: Uint8Array, sizes: number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const size = sizes[turn % sizes.length] as number;
    chunks.push(stream.subarray(at, at + size));
    at += size;
  }
  return chunks;
}
