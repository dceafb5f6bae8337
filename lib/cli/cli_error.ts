/** Options of a {@link CliError}. */
export interface CliErrorOptions {
  /** What the user can do about it, a line each. @default [] */
  readonly advice?: readonly string[];
  /** Exit code of the process: 1 for a failure, 2 for a wrong call. @default 1 */
  readonly exitCode?: number;
  /** What caused it. */
  readonly cause?: unknown;
}

/** A failure that is told to the user in plain words, without a stack. Anything else that is thrown is a bug. */
export class CliError extends Error {
  override readonly name = "CliError";
  /** What the user can do about it, a line each. */
  readonly advice: readonly string[];
  /** Exit code of the process. */
  readonly exitCode: number;

  constructor(message: string, options: CliErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.advice = options.advice ?? [];
    this.exitCode = options.exitCode ?? 1;
  }
}
