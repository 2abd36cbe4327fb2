// The messages of the micro rows: a tools/call of a given size, structured as real arguments are.

const envelope = (args) => ({
  jsonrpc: '2.0',
  id: 4711,
  method: 'tools/call',
  params: { name: 'echo', arguments: args, _meta: { progressToken: 'p-4711' } },
});
const text = (args) => JSON.stringify(envelope(args));

/** A tools/call of exactly 178 bytes, the size of a typical echo. */
function small() {
  const empty = text({ message: '' }).length;
  return text({ message: 'x'.repeat(178 - empty) });
}

/** A tools/call of about `bytes`, made of records with strings, numbers, booleans and nested objects. */
function structured(bytes) {
  const rows = [];
  const record = (index) => ({
    id: index,
    title: `Entry number ${index} of the list`,
    done: index % 3 === 0,
    price: index * 1.25,
    where: { shelf: index % 17, room: 'north', tags: ['red', 'blue'] },
  });
  while (text({ rows }).length < bytes) rows.push(record(rows.length));
  return text({ rows });
}

/** @type {{size: string, bytes: Buffer}[]} */
export const MESSAGES = [
  { size: '178 B', bytes: Buffer.from(small()) },
  { size: '1 KB', bytes: Buffer.from(structured(1000)) },
  { size: '10 KB', bytes: Buffer.from(structured(10_000)) },
  { size: '100 KB', bytes: Buffer.from(structured(100_000)) },
];
