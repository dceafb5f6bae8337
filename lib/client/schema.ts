import type { Message } from "./message.ts";
import { type FieldError, RunnelError } from "./runnel_error.ts";

/** What zod, Valibot, ArkType and others are: the interface of standardschema.dev, as far as it is used. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing that a schema does not like. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * The data as the schema gives it out.
 *
 * @throws {RunnelError} `invalid_data`, with a pointer for each issue.
 */
export async function validate<T>(
  data: unknown,
  schema: StandardSchema<unknown, T>,
  topic: string,
): Promise<T> {
  const result = await schema["~standard"].validate(data);
  if (!result.issues) return result.value;
  const errors = result.issues.map(faultOf);
  const [first] = errors;
  throw new RunnelError(`Not valid for ${topic}: ${first?.detail}`, {
    code: "invalid_data",
    errors,
  });
}

/** A message with its data as the schema gives it out; as it is where there is no schema. */
export async function validated<T>(
  message: Message,
  schema: StandardSchema<unknown, T> | undefined,
): Promise<Message<T>> {
  // without a schema the type is the caller's word
  if (!schema) return message as Message<T>;
  return { ...message, data: await validate(message.data, schema, message.topic) };
}

function faultOf({ message, path = [] }: SchemaIssue): FieldError {
  const keys = path.map((part) => String(typeof part === "object" ? part.key : part));
  const escaped = keys.map((key) => "/" + key.replaceAll("~", "~0").replaceAll("/", "~1"));
  return { pointer: "#" + escaped.join(""), detail: message };
}
