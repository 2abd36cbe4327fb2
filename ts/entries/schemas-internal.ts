/**
 * `thirdrail/core/internal`: what `@modelcontextprotocol/core/internal` exports. Lists names, holds no code.
 */
export * from '@modelcontextprotocol/core/internal';
