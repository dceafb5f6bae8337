import type { ExitCode } from "./exit_code.ts";

/** What a server said about a refusal, for machines. */
export interface Refusal {
  /** Status of the answer. */
  readonly status: number;
  /** Code of the problem document; undefined where something else than Runnel answered. */
  readonly code?: string;
  readonly requestId?: string;
}

/** Options of a {@link CliError}. */
export interface CliErrorOptions {
  /** What the user can do about it, a line each. @default [] */
  readonly advice?: readonly string[];
  /** Exit code of the process: 1 for a failure, 2 for a wrong call. @default 1 */
  readonly exitCode?: ExitCode;
  /** What the server said, where it is one that refused. */
  readonly refusal?: Refusal;
  /** What caused it. */
  readonly cause?: unknown;
}

/** A failure that is told to the user in plain words, without a stack. Anything else that is thrown is a bug. */
export class CliError extends Error {
  override readonly name = "CliError";
  /** What the user can do about it, a line each. */
  readonly advice: readonly string[];
  /** Exit code of the process. */
  readonly exitCode: ExitCode;
  /** What the server said; undefined where it was not asked or did not answer. */
  readonly refusal: Refusal | undefined;

  constructor(message: string, options: CliErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.advice = options.advice ?? [];
    this.exitCode = options.exitCode ?? 1;
    this.refusal = options.refusal;
  }
}
