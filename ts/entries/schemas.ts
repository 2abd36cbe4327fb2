/**
 * `thirdrail/core`: the specification's zod schemas, those of the official package. Lists names, holds no code.
 */
export * from '@modelcontextprotocol/core';
