/**
 * A plain JSON Schema as a Standard Schema, for whatever takes only those. Registration takes JSON Schemas as they are.
 */
import type {
  JsonSchemaType,
  jsonSchemaValidator,
  StandardSchemaV1,
  StandardSchemaWithJSON,
} from '../protocol/types.js';
import { contractOf } from './schema.js';

/**
 * @param validator what checks values. Default: the validator that registration uses
 * @throws TypeError for a schema that is malformed or of an unknown dialect
 */
export function fromJsonSchema<T = unknown>(
  schema: JsonSchemaType,
  validator?: jsonSchemaValidator,
): StandardSchemaWithJSON<T, T> {
  const json = () => schema as Record<string, unknown>;
  return {
    '~standard': {
      version: 1,
      vendor: 'thirdrail',
      jsonSchema: { input: json, output: json },
      validate: validator === undefined ? checkedHere<T>(schema) : checkedBy<T>(schema, validator),
    },
  };
}

type Validate<T> = (value: unknown) => StandardSchemaV1.Result<T> | Promise<StandardSchemaV1.Result<T>>;

function checkedHere<T>(schema: JsonSchemaType): Validate<T> {
  // As a tool's output: any JSON value, not objects alone.
  const { check } = contractOf(schema, 'output', 'fromJsonSchema');
  return check as Validate<T>;
}

function checkedBy<T>(schema: JsonSchemaType, validator: jsonSchemaValidator): Validate<T> {
  const check = validator.getValidator<T>(schema);
  return (value) => {
    const result = check(value);
    return result.valid ? { value: result.data } : { issues: [{ message: result.errorMessage }] };
  };
}
