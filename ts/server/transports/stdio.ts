/**
 * Standard input and output as a transport, for whoever connects one by hand. `serveStdio` does more, and is faster: it
 * checks messages before they are read, and lets nothing else write to standard output.
 */
import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { STDIO_DEFAULT_MAX_BUFFER_SIZE } from '../../protocol/sdk/constants.js';
import { parseJSONRPCMessage } from '../../protocol/sdk/guards.js';
import type { JSONRPCMessage, Transport } from './transport.js';

/** One line of text, with its line feed. */
export function serializeMessage(message: JSONRPCMessage): string {
  return `${JSON.stringify(message)}\n`;
}

/** @throws SyntaxError when the line is no JSON, ZodError when it is no JSON-RPC message */
export function deserializeMessage(line: string): JSONRPCMessage {
  return parseJSONRPCMessage(JSON.parse(line));
}

/** Cuts bytes into lines, and lines into messages. Time is linear in the bytes, however they come in pieces. */
export class ReadBuffer {
  readonly #maxBytes: number;
  #decoder = new StringDecoder('utf8');
  /** Complete lines, the next one at `#at`. */
  #lines: string[] = [];
  #at = 0;
  #rest: string[] = [];
  #held = 0;

  /** @param options.maxBufferSize most bytes that wait to be read, default 10 MiB */
  constructor(options: { maxBufferSize?: number } = {}) {
    this.#maxBytes = options.maxBufferSize ?? STDIO_DEFAULT_MAX_BUFFER_SIZE;
  }

  /** @throws Error when more would wait than allowed; then nothing waits any more */
  append(chunk: Buffer): void {
    this.#held += chunk.length;
    if (this.#held > this.#maxBytes) {
      this.clear();
      throw new Error(`ReadBuffer exceeded maximum size of ${this.#maxBytes} bytes`);
    }
    const parts = this.#decoder.write(chunk).split('\n');
    const last = parts.pop() as string;
    for (const part of parts) {
      this.#lines.push(this.#rest.join('') + part);
      this.#rest = [];
    }
    if (last !== '') this.#rest.push(last);
  }

  /**
   * The next message, or null while no line is complete. Lines that are no JSON are skipped: other tools write to the same
   * stream.
   * @throws ZodError for JSON that is no JSON-RPC message
   */
  readMessage(): JSONRPCMessage | null {
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at] as string;
      this.#at += 1;
      // Bytes that are no UTF-8 became longer in reading.
      this.#held = Math.max(0, this.#held - Buffer.byteLength(line) - 1);
      try {
        return deserializeMessage(line);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    }
    this.#lines = [];
    this.#at = 0;
    return null;
  }

  clear(): void {
    this.#decoder = new StringDecoder('utf8');
    this.#lines = [];
    this.#at = 0;
    this.#rest = [];
    this.#held = 0;
  }
}

export class StdioServerTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #buffer: ReadBuffer;
  #started = false;
  #closed = false;

  /**
   * @param input default process.stdin; @param output default process.stdout
   * @param options.maxBufferSize most bytes that wait to be read, default 10 MiB
   */
  constructor(
    input: Readable = process.stdin,
    output: Writable = process.stdout,
    options?: { maxBufferSize?: number },
  ) {
    this.#input = input;
    this.#output = output;
    this.#buffer = new ReadBuffer(options);
  }

  /** @throws Error when it was started before */
  async start(): Promise<void> {
    if (this.#started) {
      throw new Error('StdioServerTransport already started: connect() starts it by itself');
    }
    this.#started = true;
    this.#input.on('data', this.#read);
    this.#input.on('error', this.#failed);
    this.#input.on('end', this.#ended);
    this.#output.on('error', this.#broken);
  }

  readonly #read = (chunk: Buffer): void => {
    try {
      this.#buffer.append(chunk);
    } catch (error) {
      this.onerror?.(error as Error);
      void this.close();
      return;
    }
    for (;;) {
      try {
        const message = this.#buffer.readMessage();
        if (message === null) return;
        this.onmessage?.(message);
      } catch (error) {
        this.onerror?.(error as Error);
      }
    }
  };

  readonly #failed = (error: Error): void => this.onerror?.(error);

  /** What was asked may still be answered: the client only says no more. */
  readonly #ended = (): void => {
    this.#input.off('data', this.#read);
  };

  readonly #broken = (error: Error): void => {
    this.onerror?.(error);
    void this.close();
  };

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#input.off('data', this.#read);
    this.#input.off('error', this.#failed);
    this.#input.off('end', this.#ended);
    this.#output.off('error', this.#broken);
    // Others may read the same stream.
    if (this.#input.listenerCount('data') === 0) this.#input.pause();
    this.#buffer.clear();
    this.onclose?.();
  }

  /** Resolves when the stream takes more. @throws Error when it is closed, or breaks */
  send(message: JSONRPCMessage): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('StdioServerTransport is closed'));
    return new Promise((resolve, reject) => {
      const output = this.#output;
      const settle = (error?: Error | null): void => {
        output.off('error', settle);
        output.off('drain', settle);
        if (error) reject(error);
        else resolve();
      };
      output.on('error', settle);
      if (output.write(serializeMessage(message))) settle();
      else output.on('drain', settle);
    });
  }
}
