/** Bearer tokens, scopes and metadata documents against the official package's on the same requests. */
import * as sdk from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as bearer from '../../ts/protocol/sdk/bearer.js';
import { OAuthError } from '../../ts/protocol/sdk/errors.js';
import * as metadata from '../../ts/protocol/sdk/resource-metadata.js';
import * as scopes from '../../ts/protocol/sdk/scopes.js';

/** All of a response that crosses the wire. */
const wire = async (response: Response | undefined) =>
  response && { status: response.status, headers: [...response.headers], body: await response.text() };

const NOW = Math.floor(Date.now() / 1000);
const scope = fc.constantFrom('read', 'write', 'admin');
const resource = fc
  .constantFrom(...['https://a.example/mcp', 'https://a.example/mcp/', 'https://a.example/mcp#f', 'https://b.example/'])
  .map((url) => new URL(url));
const tokenInfo = fc.record(
  {
    expiresAt: fc.constantFrom<any>(NOW + 1000, NOW - 1000, Number.NaN, '1'),
    resource,
    resourceMetadataUrl: fc.constant('https://own.example/doc'),
  },
  { requiredKeys: [] },
);
const header = fc.constantFrom(
  ...[undefined, '', 'Bearer t', 'bearer t', 'Bearer', 'Bearer  t', 'Basic t', 't', 'Bearer t u', 'Bearer t, Bearer u'],
);
const settings = fc.record(
  {
    requiredScopes: fc.array(scope, { maxLength: 2 }),
    resourceMetadataUrl: fc.constantFrom('https://a.example/doc', 'https://a.example/"\\\u0000é\n'),
    expectedResource: resource,
  },
  { requiredKeys: [] },
);

describe('bearer tokens', () => {
  const verdict = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(tokenInfo, fc.array(scope)).map(([info, list]) => ({ info, list })) },
    { weight: 1, arbitrary: fc.constantFrom('invalid_token', 'insufficient_scope', 'server_error', 'other', 'bug') },
  );
  const verifierOf = (Class: any, given: any) => ({
    async verifyAccessToken(token: string) {
      if (given === 'bug') throw new TypeError('secret detail');
      if (typeof given === 'string') throw new Class(given, 'why "so"\n', 'https://e.example');
      return { token, clientId: 'c', scopes: given.list, ...given.info };
    },
  });

  it('are verified and refused alike', async () => {
    await fc.assert(
      fc.asyncProperty(header, verdict, settings, async (authorization, given, options) => {
        const request = () => new Request('https://a.example/mcp', authorization ? { headers: { authorization } } : {});
        const mine = await bearer.requireBearerAuth({ verifier: verifierOf(OAuthError, given), ...options })(request());
        const theirs = await sdk.requireBearerAuth({ verifier: verifierOf(sdk.OAuthError, given), ...options })(
          request(),
        );
        if (theirs instanceof Response) expect(await wire(mine as Response)).toEqual(await wire(theirs));
        else expect(mine).toEqual(theirs);
      }),
      { numRuns: 500 },
    );
  });

  it('say nothing of what else went wrong', async () => {
    const response = bearer.bearerAuthChallengeResponse(new Error('secret detail'));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
  });

  it('take the errors of either copy of the class', async () => {
    for (const Class of [OAuthError, sdk.OAuthError]) {
      const verifier = verifierOf(Class, 'invalid_token');
      const answer = await bearer.requireBearerAuth({ verifier })(
        new Request('https://x', { headers: { authorization: 'Bearer t' } }),
      );
      expect((answer as Response).status).toBe(401);
    }
  });

  it('need options that are options', () => {
    expect(() => bearer.requireBearerAuth(undefined as never)).toThrow(TypeError);
  });
});

describe('scopes of single calls', () => {
  const request = { jsonrpc: '2.0' as const, id: 1, method: 'tools/call' };

  it('are asked for alike', async () => {
    const info = fc.option(
      fc.record({ token: fc.constant('t'), clientId: fc.constant('c'), scopes: fc.array(scope) }),
      { nil: undefined },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(scope, { minLength: 1 }), info, async (wanted, authInfo) => {
        const list = wanted as [string, ...string[]];
        const context = { request, ...(authInfo && { authInfo }) };
        expect(await scopes.requireScopes(...list)(context)).toEqual(await sdk.requireScopes(...list)(context));
      }),
    );
  });

  it('must be scopes', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), scope), { maxLength: 3 }), (list) => {
        const refuses = (run: (...all: any[]) => unknown) => {
          try {
            run(...list);
            return false;
          } catch (error) {
            return error instanceof TypeError;
          }
        };
        expect(refuses(scopes.requireScopes)).toBe(refuses(sdk.requireScopes));
      }),
    );
  });

  it('are answered with a challenge that points at the metadata', async () => {
    const challenge = await scopes.findScopeChallenge([request], undefined, () => ({ scopes: ['a', 'b'] }));
    const info = { token: 't', clientId: 'c', scopes: [], resource: new URL('https://a.example/mcp') };
    const response = scopes.scopeChallengeResponse(challenge as scopes.ScopeChallenge, info);
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_scope", error_description="Insufficient scope", scope="a b", ' +
        'resource_metadata="https://a.example/.well-known/oauth-protected-resource/mcp"',
    );
    const bad = () => ({ scopes: ['a'], errorDescription: '"' }) as scopes.ScopeChallenge;
    await expect(scopes.findScopeChallenge([request], undefined, bad)).rejects.toThrow(/errorDescription/);
  });
});

describe('metadata documents', () => {
  const oauthMetadata = {
    issuer: 'https://as.example',
    authorization_endpoint: 'https://as.example/authorize',
    token_endpoint: 'https://as.example/token',
    response_types_supported: ['code'],
  };

  it('are answered alike', async () => {
    const path = fc
      .tuple(
        fc.constantFrom('/.well-known/oauth-protected-resource', '/.well-known/oauth-authorization-server', '/mcp', ''),
        fc.constantFrom('', '/', '/mcp', '/mcp/', '?q'),
      )
      .map((parts) => parts.join(''));
    const method = fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'POST');
    const server = fc.constantFrom('https://a.example', 'https://a.example/mcp', 'https://a.example/mcp/?q#f');
    const asked = fc.constantFrom<Record<string, string>>({}, { 'access-control-request-headers': 'x-a, x-b' });
    const more = fc.record(
      { scopesSupported: fc.array(scope), resourceName: fc.string(), serviceDocumentationUrl: resource },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(path, method, server, asked, more, async (at, verb, url, headers, extra) => {
        const options = { oauthMetadata, resourceServerUrl: new URL(url), ...extra };
        const request = () => new Request(`https://a.example${at}`, { method: verb, headers });
        expect(await wire(metadata.oauthMetadataResponse(request(), options))).toEqual(
          await wire(sdk.oauthMetadataResponse(request(), options)),
        );
        expect(metadata.getOAuthProtectedResourceMetadataUrl(new URL(url))).toBe(
          sdk.getOAuthProtectedResourceMetadataUrl(new URL(url)),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('take the same issuers', () => {
    const issuers = ['https://a.example', 'http://a.example', 'http://localhost:1', 'http://127.0.0.1', 'https://a#f'];
    for (const issuer of [...issuers, 'https://a?q', 'no url']) {
      for (const dangerouslyAllowInsecureIssuerUrl of [true, false, undefined]) {
        const options = {
          oauthMetadata: { ...oauthMetadata, issuer },
          resourceServerUrl: new URL('https://r.example/mcp'),
          dangerouslyAllowInsecureIssuerUrl,
        };
        const outcome = (build: typeof sdk.buildOAuthProtectedResourceMetadata) => {
          try {
            return build(options);
          } catch (error) {
            return (error as Error).message;
          }
        };
        expect(outcome(metadata.buildOAuthProtectedResourceMetadata)).toEqual(
          outcome(sdk.buildOAuthProtectedResourceMetadata),
        );
      }
    }
  });
});
