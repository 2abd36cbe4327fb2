// Pool: call slots taken and given back, buffers taken and given back.

const CAPACITY = 4096;
const BYTES = 2000;
const stack = Array.from({ length: CAPACITY }, (_, index) => index);

export const rows = [
  {
    row: 'pool slots, take and give',
    engine: ({ pool }) => {
      const slots = pool.slots(CAPACITY);
      return () => slots.give(slots.take());
    },
    // Without generations: it cannot tell a dead slot from a living one.
    others: { 'array as a stack': () => stack.push(stack.pop()) },
    right: (result) => result === true || result === CAPACITY,
  },
  {
    row: 'pool buffers, take and give 2000 B',
    engine: ({ pool }) => {
      const buffers = pool.buffers(1 << 24);
      return () => buffers.give(buffers.take(BYTES));
    },
    others: { 'Buffer.allocUnsafe': () => Buffer.allocUnsafe(BYTES) },
    right: (result) => result === true || result.length === BYTES,
  },
];
