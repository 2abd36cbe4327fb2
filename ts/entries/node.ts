/**
 * `thirdrail/node`: what `@modelcontextprotocol/node` exports, and the handler for a server of one's own. Lists names,
 * holds no code.
 */
export {
  type FetchLikeMcpHandler,
  hostHeaderValidation,
  localhostHostValidation,
  localhostOriginValidation,
  type MountedNodeHandler,
  type NodeIncomingMessageLike,
  type NodeMcpRequestHandler,
  type NodeServerResponseLike,
  nodeHandler,
  originValidation,
  type ToNodeHandlerOptions,
  type ToWebRequestOptions,
  toNodeHandler,
  toWebRequest,
} from '../server/adapters/node.js';
export {
  NodeStreamableHTTPServerTransport,
  type StreamableHTTPServerTransportOptions,
} from '../server/transports/node.js';
