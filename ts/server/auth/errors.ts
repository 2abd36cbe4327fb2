/**
 * Why a token is not good enough, as its verifier says it. Everything else that a verifier throws means that it could not
 * tell, which is no fault of the token.
 */

/** The token is malformed, expired, revoked, or not meant for this server: 401. */
export class InvalidTokenError extends Error {
  constructor(message = 'The access token is not valid') {
    super(message);
    this.name = 'InvalidTokenError';
  }
}
