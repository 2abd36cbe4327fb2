/**
 * Certificate and key of a listener: given as PEM, or read from files and read again when they have changed.
 *
 * Whether they can be used is the engine's to say. A key is shown to nobody, error messages included.
 */
import { readFile } from 'node:fs/promises';
import { checkKnown, show } from './limits.js';

/** PEM text, or the files that hold it: one of both for each. */
export interface TlsOptions {
  /** Certificate chain, the server's own first. */
  cert?: string | Uint8Array;
  /** Private key. */
  key?: string | Uint8Array;
  certFile?: string;
  keyFile?: string;
}

export interface Pem {
  readonly cert: string;
  readonly key: string;
}

export class Certificate {
  readonly #options: TlsOptions;
  #pem: Pem;

  private constructor(options: TlsOptions, pem: Pem) {
    this.#options = options;
    this.#pem = pem;
  }

  /** @throws TypeError for bad options; Error when a file cannot be read */
  static async read(options: TlsOptions): Promise<Certificate> {
    return new Certificate(options, await pemOf(options));
  }

  get pem(): Pem {
    return this.#pem;
  }

  /** What the files hold now; undefined when that is what is in use. */
  async reload(): Promise<Pem | undefined> {
    const { certFile, keyFile } = this.#options;
    if (certFile === undefined && keyFile === undefined) {
      throw new Error('The certificate was not given as files: use renewTls');
    }
    const pem = await pemOf(this.#options);
    return pem.cert === this.#pem.cert && pem.key === this.#pem.key ? undefined : pem;
  }

  /** These are in use now. */
  keep(pem: Pem): void {
    this.#pem = pem;
  }
}

async function pemOf(options: TlsOptions): Promise<Pem> {
  checkKnown(options, ['cert', 'key', 'certFile', 'keyFile'], 'tls');
  const cert = await part('cert', options.cert, options.certFile);
  const key = await part('key', options.key, options.keyFile);
  return { cert, key };
}

async function part(name: 'cert' | 'key', given: unknown, file: unknown): Promise<string> {
  if ((given === undefined) === (file === undefined)) {
    throw new TypeError(`Option tls needs ${name} or ${name}File, and not both`);
  }
  if (file !== undefined) {
    if (typeof file !== 'string') throw new TypeError(`Option tls.${name}File must be a path, not ${show(file)}`);
    return readFile(file, 'utf8');
  }
  if (given instanceof Uint8Array) return Buffer.from(given).toString('utf8');
  if (typeof given !== 'string')
    throw new TypeError(`Option tls.${name} must be PEM text or bytes, not ${typeof given}`);
  return given;
}
