/**
 * The Standard Schema interfaces as the official SDK exports them: validation, JSON Schema, and the two together, each
 * with its namespace of parts. Types only.
 */

interface StandardTypedV1<Input = unknown, Output = Input> {
  readonly '~standard': StandardTypedV1.Props<Input, Output>;
}
declare namespace StandardTypedV1 {
  interface Props<Input = unknown, Output = Input> {
    readonly version: 1;
    readonly vendor: string;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  }
  type InferInput<S extends StandardTypedV1> = NonNullable<S['~standard']['types']>['input'];
  type InferOutput<S extends StandardTypedV1> = NonNullable<S['~standard']['types']>['output'];
}

/** A schema of any library that implements the Standard Schema specification. */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': StandardSchemaV1.Props<Input, Output>;
}
export declare namespace StandardSchemaV1 {
  interface Props<Input = unknown, Output = Input> extends StandardTypedV1.Props<Input, Output> {
    readonly validate: (value: unknown, options?: Options | undefined) => Result<Output> | Promise<Result<Output>>;
  }
  interface Options {
    readonly libraryOptions?: Record<string, unknown> | undefined;
  }
  type Result<Output> = SuccessResult<Output> | FailureResult;
  interface SuccessResult<Output> {
    readonly value: Output;
    readonly issues?: undefined;
  }
  interface FailureResult {
    readonly issues: readonly Issue[];
  }
  interface Issue {
    readonly message: string;
    readonly path?: readonly (PropertyKey | PathSegment)[] | undefined;
  }
  interface PathSegment {
    readonly key: PropertyKey;
  }
  type InferInput<S extends StandardTypedV1> = StandardTypedV1.InferInput<S>;
  type InferOutput<S extends StandardTypedV1> = StandardTypedV1.InferOutput<S>;
}

/** One that answers at once, never with a promise. */
export interface StandardSchemaV1Sync<Input = unknown, Output = Input> extends StandardSchemaV1<Input, Output> {
  readonly '~standard': StandardSchemaV1Sync.Props<Input, Output>;
}
export declare namespace StandardSchemaV1Sync {
  interface Props<Input = unknown, Output = Input> extends StandardSchemaV1.Props<Input, Output> {
    readonly validate: (
      value: unknown,
      options?: StandardSchemaV1.Options | undefined,
    ) => StandardSchemaV1.Result<Output>;
  }
  type InferInput<S extends StandardTypedV1> = StandardTypedV1.InferInput<S>;
  type InferOutput<S extends StandardTypedV1> = StandardTypedV1.InferOutput<S>;
}

interface JsonSchemaProps<Input, Output> extends StandardTypedV1.Props<Input, Output> {
  readonly jsonSchema: {
    readonly input: (options: JsonSchemaOptions) => Record<string, unknown>;
    readonly output: (options: JsonSchemaOptions) => Record<string, unknown>;
  };
}
interface JsonSchemaOptions {
  readonly target: 'draft-2020-12' | 'draft-07' | 'openapi-3.0' | (object & string);
  readonly libraryOptions?: Record<string, unknown> | undefined;
}

/** One that also says what it accepts and gives as JSON Schema: what a tool list needs. */
export interface StandardSchemaWithJSON<Input = unknown, Output = Input> {
  readonly '~standard': StandardSchemaV1.Props<Input, Output> & JsonSchemaProps<Input, Output>;
}
export declare namespace StandardSchemaWithJSON {
  type InferInput<S extends StandardTypedV1> = StandardTypedV1.InferInput<S>;
  type InferOutput<S extends StandardTypedV1> = StandardTypedV1.InferOutput<S>;
}

// ------------------------------------------------------------------------------------- validators of plain JSON Schema

/** A JSON Schema object, draft 2020-12. */
export type JsonSchemaType = { readonly [keyword: string]: unknown };

export type JsonSchemaValidatorResult<T> =
  | { valid: true; data: T; errorMessage: undefined }
  | { valid: false; data: undefined; errorMessage: string };
export type JsonSchemaValidator<T> = (input: unknown) => JsonSchemaValidatorResult<T>;
/** What makes validators: a JSON Schema library behind one method. */
export interface jsonSchemaValidator {
  getValidator<T>(schema: JsonSchemaType): JsonSchemaValidator<T>;
}
