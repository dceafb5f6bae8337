import type { Terminal } from "../../lib/cli/terminal.ts";

/** A terminal that keeps what was written, for tests that run commands in their own process. */
export class MemoryTerminal implements Terminal {
  readonly columns = 80;
  /** Lines of stdout. */
  readonly outLines: string[] = [];
  /** Lines of stderr. */
  readonly errLines: string[] = [];
  /** What the status line showed, one after the other. */
  readonly statuses: string[] = [];

  constructor(
    /** Whether to pretend that a person looks. */
    readonly interactive = false,
    /** Whether to pretend that a person looks at stdout too. */
    readonly screen = false,
  ) {}

  readonly out = (line: string): void => {
    this.outLines.push(...line.split("\n"));
  };

  readonly err = (line: string): void => {
    this.errLines.push(...line.split("\n"));
  };

  readonly status = (text: string): void => {
    this.statuses.push(text);
  };

  readonly style = (_style: string, text: string): string => text;

  /** All of stdout. */
  get stdout(): string {
    return this.outLines.join("\n");
  }

  /** All of stderr. */
  get stderr(): string {
    return this.errLines.join("\n");
  }
}
