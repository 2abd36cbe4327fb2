// Keep-alive connections that send prepared requests one after the other and cut the replies apart. It reads no more of
// HTTP than servers under test send: a status line, Content-Length or chunked.
import net from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
const MOST_HELD = 1 << 24;

/** Where the reply at the start of `bytes` ends and what it says, or null when there is more to come. */
export function cut(bytes) {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return null;
  const head = bytes.latin1Slice(0, headEnd);
  const status = Number(head.slice(9, 12));
  const start = headEnd + HEAD_END.length;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const end = start + Number(length);
    return bytes.length < end ? null : { status, end, body: () => bytes.utf8Slice(start, end) };
  }
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return { status, end: start, body: () => '' };
  const parts = [];
  for (let at = start; ; ) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return null;
    const size = Number.parseInt(bytes.latin1Slice(at, line), 16);
    const end = line + 2 + size + 2;
    if (!(size >= 0)) throw new Error('not a chunk');
    if (bytes.length < end) return null;
    if (size === 0) return { status, end, body: () => Buffer.concat(parts).toString() };
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = end;
  }
}

/** One connection with at most one request in flight. A broken one is replaced by the owner, through `onBroken`. */
export class Connection {
  #held = null;
  #socket;
  busy = false;

  constructor(port, { onReady, onReply, onBroken }) {
    this.#socket = net.connect({ port, host: '127.0.0.1', noDelay: true }, () => onReady(this));
    let broken = false;
    const fail = () => {
      if (!broken) onBroken(this);
      broken = true;
    };
    this.#socket.on('error', fail).on('close', fail);
    this.#socket.on('data', (chunk) => {
      const bytes = this.#held === null ? chunk : Buffer.concat([this.#held, chunk]);
      let reply = null;
      try {
        reply = cut(bytes);
      } catch {
        this.#socket.destroy();
        return;
      }
      if (reply === null) {
        this.#held = bytes;
        if (bytes.length > MOST_HELD) this.#socket.destroy();
        return;
      }
      this.#held = null;
      this.busy = false;
      // Bytes after the reply were not asked for: one request is in flight.
      if (reply.end !== bytes.length) this.#socket.destroy();
      else onReply(this, reply);
    });
  }

  send(bytes) {
    this.busy = true;
    this.#socket.write(bytes);
  }

  close() {
    this.#socket.removeAllListeners('close').destroy();
  }
}
