import type { VariableName } from "../../config.ts";

/** A place that runs Runnel's functions for somebody. */
export interface Host {
  /** What the command line calls it. */
  readonly name: string;
  readonly title: string;
  /** What it is like and what that means here, a fact a line. */
  readonly facts: readonly string[];
  /** What to set there, in order. */
  readonly variables: readonly {
    readonly name: VariableName;
    readonly value: string;
    readonly why: string;
  }[];
  /** How to set them, and to deploy; a command or a step a line. */
  readonly steps: readonly string[];
  /** What it is reached by, behind which the function's name or path stands. */
  readonly address: string;
  /** How long a stream may last there. */
  readonly stream: StreamLimit;
  /** Whether pages are always of another origin than the functions. */
  readonly foreignPages: boolean;
  /** The files that it needs. */
  files(place: HostPlace): readonly HostFile[];
}

/** How long a stream may last, in seconds. */
export interface StreamLimit {
  /** What to set. */
  readonly advised: number;
  /** What the host itself cuts at; undefined where it does not say. */
  readonly most: number | undefined;
  readonly why: string;
}

/** Where the files are to stand. */
export interface HostPlace {
  /** Names of the functions, as their files in functions/ are called, without `main`. */
  readonly functions: readonly string[];
  /** Leads from a folder under the root of the files, with `/` between, to a path of this repository. */
  readonly toRepository: (folder: string, path: string) => string;
}

/** A file for a host. */
export interface HostFile {
  /** Below the root, with `/` between. */
  readonly path: string;
  readonly text: string;
}

/** What stands above every file, whatever begins a comment there. */
export function madeBy(comment: string): string {
  return `${comment} Made by deno task deploy:check --write. Not tried on the real host.`;
}
