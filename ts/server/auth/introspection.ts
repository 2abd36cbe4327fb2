/**
 * Token introspection (RFC 7662): the authorization server is asked what a token is worth.
 */
import type { AuthInfo } from '../../protocol/types.js';
import { InvalidTokenError } from './errors.js';
import { fetched, objectIn } from './fetched.js';
import { checkUnbound, scopesOf } from './jwt.js';
import type { IntrospectionOptions, TokenVerifier } from './options.js';

/** What an access token may be called; others, refresh tokens for instance, can be active as well. */
const TYPES = /^(bearer|access_token|jwt)$/i;

export class IntrospectionVerifier implements TokenVerifier {
  readonly #options: IntrospectionOptions;
  readonly #resource: string;

  constructor(options: IntrospectionOptions, resource: string) {
    this.#options = options;
    this.#resource = resource;
  }

  async verifyAccessToken(token: string): Promise<AuthInfo> {
    const answer = await this.#ask(token);
    if (answer.active !== true) throw new InvalidTokenError();
    const { aud, exp, client_id, sub } = answer;
    for (const type of [answer.token_type, answer.token_use]) {
      if (typeof type === 'string' && !TYPES.test(type)) throw new InvalidTokenError('The token is no access token');
    }
    checkUnbound(answer);
    const audiences = [aud].flat().filter((value) => value !== undefined);
    if (audiences.length === 0 ? (this.#options.requireAudience ?? true) : !audiences.includes(this.#resource)) {
      throw new InvalidTokenError('The token is not meant for this server');
    }
    if (typeof exp === 'number' && exp * 1000 <= Date.now()) throw new InvalidTokenError('The token has expired');
    const who = typeof client_id === 'string' ? client_id : sub;
    const info: AuthInfo = {
      token,
      clientId: typeof who === 'string' ? who : '',
      scopes: scopesOf(answer.scope),
      resource: new URL(this.#resource),
      extra: { ...answer },
    };
    if (typeof exp === 'number') info.expiresAt = exp;
    return info;
  }

  async #ask(token: string): Promise<Record<string, unknown>> {
    const { endpoint, clientId, clientSecret, timeout = 5000 } = this.#options;
    // RFC 6749, 2.3.1: both halves are form-encoded before they are joined.
    const credentials = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`);
    const { status, text } = await fetched(endpoint, {
      method: 'POST',
      signal: AbortSignal.timeout(timeout),
      headers: {
        accept: 'application/json',
        authorization: `Basic ${credentials.toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
    });
    if (text === undefined) throw new Error(`Token introspection was answered with status ${status}`);
    const answer = objectIn(text);
    if (answer === undefined) throw new Error('Token introspection gave no JSON object');
    return answer;
  }
}
