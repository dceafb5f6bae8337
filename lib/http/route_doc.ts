import type { z } from "zod";
import type { ErrorCode } from "../errors.ts";
import type { QueryShape } from "./query.ts";

/** What a route tells of itself; the API's description is made of these. */
export interface RouteDoc {
  /** Names it among all, as a function of a generated client would be. */
  readonly id: string;
  /** What it is listed under. */
  readonly group: string;
  readonly summary: string;
  /** Further sentences, as Markdown that has no more than `code` and paragraphs. */
  readonly about?: string;
  /** Which right a credential must give, in words; absent where any credential will do, or none is needed. */
  readonly right?: string;
  /** What each `:name` of the path stands for. */
  readonly params?: Readonly<Record<string, NamedValueDoc>>;
  readonly query?: QueryDoc;
  /** Headers of the request that mean something here. */
  readonly headers?: Readonly<Record<string, NamedValueDoc>>;
  readonly body?: BodyDoc;
  /** What it answers with, by status, where all goes well. */
  readonly answers: Readonly<Record<number, AnswerDoc>>;
  /** Errors beside those that every route of its kind has: of the gate, of a path's names, of a JSON body. */
  readonly problems?: readonly ErrorCode[];
  /** A command line that uses it, the server's address left out of its URL, which starts with `/`. */
  readonly curl?: string;
}

/** One path segment or header. */
export interface NamedValueDoc {
  readonly about: string;
  /** Names the schema that it has among those of the bodies; any text where there is none. */
  readonly schemaId?: string;
  readonly example?: string;
}

/** The parameters of a query: how they are read, and what they mean. */
export interface QueryDoc {
  readonly shape: QueryShape;
  readonly about: Readonly<Record<string, string>>;
  readonly examples: Readonly<Record<string, string | number | readonly string[]>>;
  /** Whether each may come as a header `x-runnel-<name>` instead. */
  readonly asHeaders: boolean;
}

/** A request's body, by media type. */
export interface BodyDoc {
  readonly about?: string;
  /** @default true */
  readonly required?: boolean;
  readonly content: Readonly<Record<string, ContentDoc>>;
}

/** One kind of answer. */
export interface AnswerDoc {
  readonly about: string;
  /** By media type; absent where there is no body. */
  readonly content?: Readonly<Record<string, ContentDoc>>;
  /** Headers beside those that every answer has: what each says. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A body of one media type: a value, or a stream of parts. */
export interface ContentDoc {
  /** What the body is as a whole; absent where it is text or bytes. */
  readonly schema?: z.ZodType;
  /** What a text or binary body is. */
  readonly about?: string;
  readonly example?: unknown;
  /** The parts of a stream, by their names. */
  readonly parts?: Readonly<Record<string, PartDoc>>;
}

/** One part of a stream: an event of an event stream, or a line. */
export interface PartDoc {
  readonly summary: string;
  /** The event's data, or the line; absent where there is no data. */
  readonly schema?: z.ZodType;
  /** The fields of the event's block beside its data. */
  readonly fields?: z.ZodType;
  /** The media type of the data. @default that of JSON in an event stream, else the stream's */
  readonly type?: string;
  readonly example?: unknown;
}

/** Describes each parameter of a query that {@link readQuery} reads. */
export function queryDoc<S extends QueryShape>(
  shape: S,
  about: { readonly [K in keyof S]: string },
  { examples = {}, asHeaders = false }: {
    readonly examples?: { readonly [K in keyof S]?: string | number | readonly string[] };
    readonly asHeaders?: boolean;
  } = {},
): QueryDoc {
  // what an optional name holds where it is there
  return { shape, about, examples: examples as QueryDoc["examples"], asHeaders };
}

/** What is said of a route that answers with a page. */
export function pageDoc(
  { id, summary, params }: Pick<RouteDoc, "id" | "summary" | "params">,
): RouteDoc {
  return {
    id,
    group: "Pages",
    summary,
    ...(params === undefined ? {} : { params }),
    answers: { 200: { about: "The page.", content: { "text/html": { about: "HTML." } } } },
  };
}
