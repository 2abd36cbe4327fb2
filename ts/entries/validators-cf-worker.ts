/**
 * `thirdrail/server/validators/cf-worker`: what `@modelcontextprotocol/server/validators/cf-worker` exports. Lists names,
 * holds no code.
 */
export { CfWorkerJsonSchemaValidator, type CfWorkerSchemaDraft } from '../server/validators.js';
