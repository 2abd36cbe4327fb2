/**
 * The official SDK's validator classes over this package's JSON Schema validator, for code that makes one and hands it on.
 * Neither loads the library in its name; an Ajv instance that is handed in is used.
 */
import type { JsonSchemaType, JsonSchemaValidator, jsonSchemaValidator } from '../protocol/types.js';
import { contractOf } from './schema.js';

/** What is used of an Ajv instance. */
interface AjvLike {
  compile(schema: unknown): AjvValidate;
  getSchema(id: string): AjvValidate | undefined;
  errorsText(errors?: never): string;
}
interface AjvValidate {
  (value: unknown): unknown;
  errors?: unknown;
}

function validatorOf<T>(schema: JsonSchemaType): JsonSchemaValidator<T> {
  const { check } = contractOf(schema, 'output', 'getValidator');
  return (input) => {
    const result = check(input);
    if (result instanceof Promise) throw new TypeError('getValidator takes JSON Schemas, not schemas of a library');
    if (result.issues === undefined) return { valid: true, data: input as T, errorMessage: undefined };
    const errorMessage = result.issues.map(({ path = [], message }) => {
      const at = path.map((part) => `/${String(typeof part === 'object' ? part.key : part)}`).join('');
      return at === '' ? message : `${at}: ${message}`;
    });
    return { valid: false, data: undefined, errorMessage: errorMessage.join(', ') };
  };
}

export class AjvJsonSchemaValidator implements jsonSchemaValidator {
  readonly #ajv: AjvLike | undefined;

  /** @param ajv checks every schema, whatever dialect it names. Default: this package's validator, by dialect */
  constructor(ajv?: AjvLike) {
    this.#ajv = ajv;
  }

  /** @throws Error for a schema that is malformed or of an unknown dialect */
  getValidator<T>(schema: JsonSchemaType): JsonSchemaValidator<T> {
    const ajv = this.#ajv;
    if (ajv === undefined) return validatorOf<T>(schema);
    // Ajv refuses to compile an id twice.
    const known = typeof schema.$id === 'string' ? ajv.getSchema(schema.$id) : undefined;
    const validate = known ?? ajv.compile(schema);
    return (input) =>
      validate(input)
        ? { valid: true, data: input as T, errorMessage: undefined }
        : { valid: false, data: undefined, errorMessage: ajv.errorsText(validate.errors as never) };
  }
}

export type CfWorkerSchemaDraft = '4' | '7' | '2019-09' | '2020-12';

const DIALECTS: Record<CfWorkerSchemaDraft, string> = {
  '4': 'http://json-schema.org/draft-04/schema',
  '7': 'http://json-schema.org/draft-07/schema',
  '2019-09': 'https://json-schema.org/draft/2019-09/schema',
  '2020-12': 'https://json-schema.org/draft/2020-12/schema',
};

export class CfWorkerJsonSchemaValidator implements jsonSchemaValidator {
  readonly #draft: CfWorkerSchemaDraft | undefined;

  /** @param options `draft`: taken for the dialect of every schema. Default: what the schema names, else 2020-12 */
  constructor(options?: { shortcircuit?: boolean; draft?: CfWorkerSchemaDraft }) {
    this.#draft = options?.draft;
  }

  /** @throws Error for a schema that is malformed or of an unknown dialect */
  getValidator<T>(schema: JsonSchemaType): JsonSchemaValidator<T> {
    return validatorOf<T>(this.#draft === undefined ? schema : { ...schema, $schema: DIALECTS[this.#draft] });
  }
}
