// A stdio client that is never the slow side: lines are built before the run and all have one length, so that refilling
// the window is one write of a piece of one buffer.

import { body, call, initialize, initialized, messageOf } from './requests.mjs';
import { launch } from './server.mjs';

const LINES = 512;
const FIRST_ID = 100_000;
const NEWLINE = 10;
const ANSWER_MS = 20_000;

/** Starts a stdio server and says what its era asks for first. */
export async function open(command, era, options) {
  const server = launch(command, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  const pipe = new Pipe(server, era);
  if (era === 'legacy') {
    await pipe.ask(initialize(1), 1);
    pipe.write(`${initialized}\n`);
  } else {
    await pipe.ask(body(era, 1, 'server/discover', {}), 1);
  }
  return pipe;
}

class Pipe {
  #held = '';
  #take = null;
  #stdin;

  constructor(server, era) {
    this.server = server;
    this.pid = server.pid;
    this.era = era;
    this.#stdin = server.child.stdin;
    this.#stdin.on('error', () => {});
    server.child.stdout.on('data', (chunk) => this.#take?.(chunk));
  }

  write(bytes) {
    this.#stdin.write(bytes);
  }

  /** Runs `start`, then feeds every chunk of output to `step` until that returns true. */
  #until(start, step) {
    return new Promise((resolve, reject) => {
      let last = 0;
      const over = (error) => {
        clearInterval(watch);
        this.#take = null;
        this.server.child.removeListener('exit', gone);
        if (error) reject(new Error(`${error}; the server said: ${this.server.said.trim() || 'nothing'}`));
        else resolve();
      };
      const gone = () => over('the server ended');
      let progress = 1;
      const watch = setInterval(() => {
        if (progress === last) over('no answer');
        last = progress;
      }, ANSWER_MS);
      this.server.child.once('exit', gone);
      this.#take = (chunk) => {
        progress += 1;
        try {
          if (step(chunk)) over(null);
        } catch (error) {
          over(error.message);
        }
      };
      start();
    });
  }

  /** One message, one reply, read in full. */
  async ask(message, id) {
    let reply;
    const read = (chunk) => {
      this.#held += chunk.toString();
      const lines = this.#held.split('\n');
      this.#held = lines.pop();
      reply = lines
        .filter(Boolean)
        .map((line) => JSON.parse(line))
        .find((json) => json.id === id);
      return reply !== undefined;
    };
    await this.#until(() => this.write(`${message}\n`), read);
    if (reply.result === undefined) throw new Error(`refused: ${JSON.stringify(reply).slice(0, 300)}`);
    return reply.result;
  }

  /** One echo call, its reply looked at. */
  async echo(id) {
    const { body: message } = call(this.era, id, 'echo', { message: messageOf(id) });
    const result = await this.ask(message, id);
    if (result.content?.[0]?.text !== messageOf(id)) throw new Error(`wrong reply: ${JSON.stringify(result)}`);
  }

  /** All the prepared lines once, `window` in flight, every reply looked at: how many were wrong. */
  async verify(window) {
    const due = new Set(Array.from({ length: LINES }, (_, index) => FIRST_ID + index));
    const { piece } = lines(this.era);
    let sent = Math.min(window, LINES);
    let seen = 0;
    let bad = 0;
    const read = (chunk) => {
      this.#held += chunk.toString();
      const found = this.#held.split('\n');
      this.#held = found.pop();
      for (const line of found.filter(Boolean)) {
        const { id, result } = JSON.parse(line);
        seen += 1;
        if (!due.delete(id) || result?.isError || result?.content?.[0]?.text !== messageOf(id)) bad += 1;
        if (sent < LINES) {
          this.write(piece(sent, 1));
          sent += 1;
        }
      }
      return seen === LINES;
    };
    await this.#until(() => this.write(piece(0, sent)), read);
    return { seen, bad };
  }

  /**
   * Keeps `window` calls in flight for `seconds`; replies are counted, and their bytes (all replies have one length).
   * @param {((microseconds: number) => void) | null} each latency of each call; only with a window of 1
   */
  async flood(window, seconds, each = null) {
    const { piece } = lines(this.era);
    let calls = 0;
    let bytes = 0;
    let next = window;
    let flying = window;
    let sentAt = performance.now();
    const begin = sentAt;
    const until = begin + seconds * 1000;
    let end = begin;
    const step = (chunk) => {
      let done = 0;
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) done += 1;
      bytes += chunk.length;
      if (done === 0) return false;
      calls += done;
      flying -= done;
      end = performance.now();
      each?.((end - sentAt) * 1000);
      if (end >= until) return flying === 0;
      flying += done;
      sentAt = performance.now();
      for (let left = done; left > 0; ) {
        const start = next % LINES;
        const count = Math.min(left, LINES - start);
        this.write(piece(start, count));
        next += count;
        left -= count;
      }
      return false;
    };
    await this.#until(() => this.write(piece(0, window)), step);
    return { calls, seconds: (end - begin) / 1000, wrongLength: bytes % calls === 0 ? 0 : 1 };
  }

  /** Ends the input, as a client does that is done; a server that stays is killed. */
  async close() {
    if (this.server.ended !== null) return;
    const over = new Promise((resolve) => this.server.child.once('exit', resolve));
    this.#stdin.end();
    const hard = setTimeout(() => this.server.child.kill('SIGKILL'), 2000);
    await over;
    clearTimeout(hard);
  }
}

const prepared = new Map();

/** Echo calls as lines of one length, and a way to take `count` of them from `start`. */
function lines(era) {
  if (!prepared.has(era)) {
    const all = Array.from({ length: LINES }, (_, index) => {
      const id = FIRST_ID + index;
      return `${call(era, id, 'echo', { message: messageOf(id) }).body}\n`;
    });
    const size = all[0].length;
    const buffer = Buffer.from(all.join(''));
    if (buffer.length !== size * LINES) throw new Error('lines of different lengths');
    prepared.set(era, { piece: (start, count) => buffer.subarray(start * size, (start + count) * size) });
  }
  return prepared.get(era);
}
