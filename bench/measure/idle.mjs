// `node idle.mjs PORT COUNT`: opens that many connections, makes one call on each, and holds them until it is told to stop.
// Says how many are open on stderr.
import { requests } from './requests.mjs';
import { Connection } from './sockets.mjs';

const AT_ONCE = 100;
const [port, count] = process.argv.slice(2).map(Number);
const all = requests({ port, era: 'modern', work: 'echo', count: AT_ONCE });
const held = new Set();
let started = 0;
let ended = 0;

function open() {
  if (started === count) return;
  const { bytes } = all[started % AT_ONCE];
  started += 1;
  const over = () => {
    ended += 1;
    if (ended === count) process.stderr.write(`open: ${held.size}\n`);
    open();
  };
  new Connection(port, {
    onReady: (connection) => connection.send(bytes),
    onReply: (connection, { status }) => {
      if (status === 200) held.add(connection);
      over();
    },
    onBroken: (connection) => {
      if (!held.delete(connection)) over();
    },
  });
}

for (let index = 0; index < AT_ONCE; index += 1) open();
setInterval(() => {}, 1 << 30);
