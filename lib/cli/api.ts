import { ConfigError, loadConfig, VARIABLES } from "../config.ts";
import { CliError } from "./cli_error.ts";
import type { CommandOption } from "./command.ts";

/** A request of the CLI to the server. */
export interface ApiRequest {
  /** @default "GET" */
  readonly method?: string;
  /** Query parameters, in order; a name may come several times. @default none */
  readonly query?: readonly (readonly [name: string, value: string])[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
  readonly signal?: AbortSignal | undefined;
}

/** The HTTP API of a running server. */
export class Api {
  /** Where the server is, without a closing slash. */
  readonly base: string;
  readonly #credential: Readonly<Record<string, string>>;

  /**
   * Takes the server of `--url`, else of `RUNNEL_URL`, else the one that `deno task start` runs, and shows it
   * `RUNNEL_TOKEN`: an option would stand in the list of processes.
   *
   * @throws {CliError} when that is no http or https URL, or has a query, or the token cannot stand in a header.
   */
  constructor(url: string | undefined) {
    this.base = serverUrl(url);
    this.#credential = credential();
  }

  /**
   * Sends a request, and resolves to a response that says success.
   *
   * @throws {CliError} when the server cannot be reached or answers with a problem.
   * @throws {DOMException} an AbortError when the signal aborts.
   */
  async send(path: string, request: ApiRequest = {}): Promise<Response> {
    const response = await this.attempt(path, request);
    if (response.ok) return response;
    throw await problemOf(response);
  }

  /**
   * Sends a request, and resolves to whatever is answered.
   *
   * @throws {CliError} when the server cannot be reached.
   */
  async attempt(
    path: string,
    { query = [], headers, ...init }: ApiRequest = {},
  ): Promise<Response> {
    const search = new URLSearchParams(query.map(([name, value]) => [name, value])).toString();
    const url = `${this.base}/${path}${search === "" ? "" : `?${search}`}`;
    try {
      return await fetch(url, {
        ...init,
        headers: { ...this.#credential, ...headers },
        signal: init.signal ?? null,
      });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw this.unreachable(error);
    }
  }

  /** The error for a server that does not answer. */
  unreachable(cause: unknown): CliError {
    return new CliError(`Cannot reach the server at ${this.base}: ${reason(cause)}`, {
      advice: [
        "Start one with: deno task start",
        "or name another: RUNNEL_URL=http://host:port deno task …, or --url",
      ],
      cause,
    });
  }
}

/** The option of every command that talks to a server. */
export const URL_OPTION: CommandOption = {
  value: "<url>",
  help: `The server (RUNNEL_URL, else ${
    VARIABLES.find(({ name }) => name === "RUNNEL_URL")?.default
  })`,
};

function serverUrl(url: string | undefined): string {
  const given = url ?? Deno.env.get("RUNNEL_URL");
  try {
    // An empty variable is an unset one, but an empty option is a mistake. Other variables are not looked at: a client
    // works whatever they say.
    if (url?.trim() !== "") {
      return loadConfig((name) => name === "RUNNEL_URL" ? given : undefined).url;
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
  throw new CliError(`Cannot use "${given}" as the server: it is no http or https URL`, {
    exitCode: 2,
    advice: ["Look at --url and RUNNEL_URL"],
  });
}

function credential(): Readonly<Record<string, string>> {
  const { token } = loadConfig((name) => name === "RUNNEL_TOKEN" ? Deno.env.get(name) : undefined);
  if (token === undefined) return {};
  if (/^[\x21-\x7e]+$/.test(token)) return { authorization: `Bearer ${token}` };
  throw new CliError("Cannot use RUNNEL_TOKEN: it is neither an API key nor a token", {
    exitCode: 2,
    advice: ["Both are one word of letters, digits and . _ -"],
  });
}

/** Segment of a path: a topic may hold slashes. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

/** What a problem document says, as an error for the user. */
export async function problemOf(response: Response): Promise<CliError> {
  const problem = await readProblem(response);
  const { code = "", title, detail = title ?? response.statusText, errors = [] } = problem;
  return new CliError(
    `The server refused (${[response.status, code].join(" ").trim()}): ${detail}`,
    {
      refusal: {
        status: response.status,
        ...(code === "" ? {} : { code }),
        ...(problem.requestId === undefined ? {} : { requestId: problem.requestId }),
      },
      advice: [
        ...errors.map((error) => `${error.pointer}: ${error.detail}`),
        ...(Object.hasOwn(CURES, code) ? CURES[code] ?? [] : []),
        ...(code === "" ? FOREIGN : []),
        ...(problem.requestId === undefined
          ? []
          : [`The server's log has more: ${problem.requestId}`]),
      ],
    },
  );
}

const CURES: Readonly<Record<string, readonly string[]>> = {
  unauthenticated: [
    "Set RUNNEL_TOKEN to a token, or to an API key: deno task keys create <name> --publish <topics> …",
  ],
  invalid_token: [
    "Look at RUNNEL_TOKEN: deno task keys list says which API keys there are, and until when",
  ],
  forbidden: [
    "Set RUNNEL_TOKEN to one that may: deno task keys list says what each API key may do",
  ],
  not_found: ["deno task topics lists the topics that there are"],
  redis_unavailable: ["Redis is away: deno task doctor, where the server runs, says why"],
  redis_auth: ["deno task doctor, where the server runs, says what Redis lacks"],
  redis_forbidden: ["deno task doctor, where the server runs, says what Redis lacks"],
  host_not_allowed: ["Address the server by a name of this machine, such as localhost"],
};

/** What Runnel answers always has a code. */
const FOREIGN = ["Is that a Runnel? Look at --url and RUNNEL_URL"];

interface Problem {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly retryable?: boolean;
  readonly requestId?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

/** The problem document of a response, empty where something else than Runnel answered. */
export async function readProblem(response: Response): Promise<Problem> {
  const text = await response.text();
  if (!response.headers.get("content-type")?.includes("json")) return {};
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's own page under a wrong content type.
    return {};
  }
}

function reason(error: unknown): string {
  const text = rootMessage(error);
  if (/refused/i.test(text)) return "nothing listens there";
  if (/dns|resolve|lookup/i.test(text)) return "its name cannot be resolved";
  if (/certificate|UnknownIssuer/i.test(text)) return `its certificate is not trusted (${text})`;
  return text;
}

// fetch itself only says "fetch failed".
function rootMessage(error: unknown): string {
  if (!(error instanceof Error)) return `${error}`;
  return error.cause === undefined ? error.message : rootMessage(error.cause);
}
