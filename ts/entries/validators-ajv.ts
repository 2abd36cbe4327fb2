/**
 * `thirdrail/server/validators/ajv`: the validator class of `@modelcontextprotocol/server/validators/ajv`. `Ajv` and
 * `addFormats` are not passed on: whoever configures an Ajv installs it. Lists names, holds no code.
 */
export { AjvJsonSchemaValidator } from '../server/validators.js';
