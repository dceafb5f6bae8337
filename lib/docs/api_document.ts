/** As much of an OpenAPI document as its page shows. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly description?: string };
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, ApiSchema>> };
}

/** One method of one path. */
export interface ApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly ApiParameter[];
  readonly requestBody?: {
    readonly description?: string;
    readonly content: Readonly<Record<string, ApiContent>>;
  };
  readonly responses: Readonly<Record<string, ApiResponse>>;
  readonly "x-codeSamples"?: readonly { readonly source: string }[];
}

/** Something that a request may carry beside its body. */
export interface ApiParameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly schema: ApiSchema;
}

/** One kind of answer. */
export interface ApiResponse {
  readonly description: string;
  readonly content?: Readonly<Record<string, ApiContent>>;
}

/** A body of one media type. */
export interface ApiContent {
  readonly schema?: ApiSchema;
  readonly example?: unknown;
  readonly "x-parts"?: Readonly<Record<string, ApiPart>>;
}

/** One kind of event or line of a stream. */
export interface ApiPart {
  readonly summary: string;
  readonly schema?: ApiSchema;
  readonly example?: unknown;
}

/** As much of JSON Schema as the API uses. */
export interface ApiSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, ApiSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: ApiSchema | boolean;
  readonly items?: ApiSchema;
  readonly anyOf?: readonly ApiSchema[];
}
