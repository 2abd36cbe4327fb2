/**
 * `thirdrail/ws`: serving over WebSocket. Lists names, holds no code.
 */
export { serveWebSocket, type WebSocketListener, type WebSocketOptions } from '../server/websocket.js';
