/** How every command ends: this is the one table of exit codes. */
export const EXIT_CODES = [
  {
    code: 0,
    meaning: "It is done; or it was ended by the first Ctrl-C, where that is how it ends",
  },
  { code: 1, meaning: "It failed, or found something that is wrong" },
  { code: 2, meaning: "It was called in a wrong way, and nothing was done" },
  { code: 130, meaning: "It was interrupted by Ctrl-C before it was done" },
] as const;

/** An exit code of {@link EXIT_CODES}. A test run by `test` hands on what `deno test` ended with. */
export type ExitCode = typeof EXIT_CODES[number]["code"];
