/**
 * OAuth 2.1 as far as a server shows or reads it: the caller behind a token, metadata documents (RFC 8414, RFC 9728),
 * tokens and client registration. Types only; members follow the RFCs' names.
 */

/** A validated access token, as the authorization layer hands it to handlers. */
export interface AuthInfo {
  token: string;
  clientId: string;
  scopes: string[];
  /** Seconds since the epoch. */
  expiresAt?: number;
  /** RFC 8707 resource identifier for which the token is valid. */
  resource?: URL;
  /** The resource metadata document (RFC 9728) that challenges about this token point at. */
  resourceMetadataUrl?: string;
  extra?: Record<string, unknown>;
}

/** RFC 9728. */
export type OAuthProtectedResourceMetadata = {
  resource: string;
  authorization_servers?: string[];
  jwks_uri?: string;
  scopes_supported?: string[];
  bearer_methods_supported?: string[];
  resource_signing_alg_values_supported?: string[];
  resource_name?: string;
  resource_documentation?: string;
  resource_policy_uri?: string;
  resource_tos_uri?: string;
  tls_client_certificate_bound_access_tokens?: boolean;
  authorization_details_types_supported?: string[];
  dpop_signing_alg_values_supported?: string[];
  dpop_bound_access_tokens_required?: boolean;
  [key: string]: unknown;
};

/** RFC 8414. */
export type OAuthMetadata = {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  registration_endpoint?: string;
  scopes_supported?: string[];
  response_types_supported: string[];
  response_modes_supported?: string[];
  grant_types_supported?: string[];
  token_endpoint_auth_methods_supported?: string[];
  token_endpoint_auth_signing_alg_values_supported?: string[];
  service_documentation?: string;
  revocation_endpoint?: string;
  revocation_endpoint_auth_methods_supported?: string[];
  revocation_endpoint_auth_signing_alg_values_supported?: string[];
  introspection_endpoint?: string;
  introspection_endpoint_auth_methods_supported?: string[];
  introspection_endpoint_auth_signing_alg_values_supported?: string[];
  code_challenge_methods_supported?: string[];
  client_id_metadata_document_supported?: boolean;
  authorization_response_iss_parameter_supported?: boolean;
  dpop_signing_alg_values_supported?: string[];
  [key: string]: unknown;
};

/** OpenID Connect Discovery 1.0. */
export type OpenIdProviderMetadata = {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  userinfo_endpoint?: string;
  jwks_uri: string;
  registration_endpoint?: string;
  scopes_supported?: string[];
  response_types_supported: string[];
  response_modes_supported?: string[];
  grant_types_supported?: string[];
  acr_values_supported?: string[];
  subject_types_supported: string[];
  id_token_signing_alg_values_supported: string[];
  id_token_encryption_alg_values_supported?: string[];
  id_token_encryption_enc_values_supported?: string[];
  userinfo_signing_alg_values_supported?: string[];
  userinfo_encryption_alg_values_supported?: string[];
  userinfo_encryption_enc_values_supported?: string[];
  request_object_signing_alg_values_supported?: string[];
  request_object_encryption_alg_values_supported?: string[];
  request_object_encryption_enc_values_supported?: string[];
  token_endpoint_auth_methods_supported?: string[];
  token_endpoint_auth_signing_alg_values_supported?: string[];
  display_values_supported?: string[];
  claim_types_supported?: string[];
  claims_supported?: string[];
  service_documentation?: string;
  claims_locales_supported?: string[];
  ui_locales_supported?: string[];
  claims_parameter_supported?: boolean;
  request_parameter_supported?: boolean;
  request_uri_parameter_supported?: boolean;
  require_request_uri_registration?: boolean;
  op_policy_uri?: string;
  op_tos_uri?: string;
  client_id_metadata_document_supported?: boolean;
  authorization_response_iss_parameter_supported?: boolean;
  [key: string]: unknown;
};
/** What an OpenID provider publishes, with the one member that OAuth 2.1 needs besides. */
export type OpenIdProviderDiscoveryMetadata = Closed<OpenIdProviderMetadata> & {
  code_challenge_methods_supported?: string[];
};
// The declared members without the index signature.
type Closed<T> = { [K in keyof T as string extends K ? never : K]: T[K] };

export type AuthorizationServerMetadata = OAuthMetadata | OpenIdProviderDiscoveryMetadata;

export type OAuthTokens = {
  access_token: string;
  id_token?: string;
  token_type: string;
  /** Seconds. */
  expires_in?: number;
  scope?: string;
  refresh_token?: string;
  /** Written by whoever stores the tokens, never part of a response. */
  issuer?: string;
};
export type StoredOAuthTokens = OAuthTokens & { issuer?: string };

/** Answer of a token exchange (RFC 8693) for an identity assertion grant. */
export type IdJagTokenExchangeResponse = {
  issued_token_type: 'urn:ietf:params:oauth:token-type:id-jag';
  access_token: string;
  token_type?: string;
  /** Seconds. */
  expires_in?: number;
  scope?: string;
};

export type OAuthErrorResponse = { error: string; error_description?: string; error_uri?: string };

/** RFC 7591. */
export type OAuthClientMetadata = {
  redirect_uris: string[];
  token_endpoint_auth_method?: string;
  grant_types?: string[];
  response_types?: string[];
  application_type?: string;
  client_name?: string;
  client_uri?: string;
  logo_uri?: string;
  scope?: string;
  contacts?: string[];
  tos_uri?: string;
  policy_uri?: string;
  jwks_uri?: string;
  // biome-ignore lint/suspicious/noExplicitAny: a JSON Web Key Set in the shape of whichever library reads it
  jwks?: any;
  software_id?: string;
  software_version?: string;
  software_statement?: string;
};
export type OAuthClientInformation = {
  client_id: string;
  client_secret?: string;
  /** Seconds since the epoch. */
  client_id_issued_at?: number;
  /** Seconds since the epoch; 0: never. */
  client_secret_expires_at?: number;
  /** Written by whoever stores the registration, never part of a response. */
  issuer?: string;
};
export type OAuthClientInformationFull = OAuthClientMetadata & OAuthClientInformation;
export type OAuthClientInformationMixed = OAuthClientInformation | OAuthClientInformationFull;
export type StoredOAuthClientInformation = OAuthClientInformationMixed & { issuer?: string };
export type OAuthClientRegistrationError = { error: string; error_description?: string };

/** RFC 7009. */
export type OAuthTokenRevocationRequest = { token: string; token_type_hint?: string };
