import { readCertificates } from "./codec/pem.ts";

/** One environment variable as it is documented. */
export interface Variable<N extends string> {
  readonly name: N;
  /** What it does, in Markdown. */
  readonly meaning: string;
  /** What it is when unset; undefined where unset means something of its own. */
  readonly default: string | undefined;
}

/** What is wrong with one variable. The detail never repeats its value, which may be a secret in the wrong place. */
export interface ConfigProblem<N extends string = string> {
  readonly variable: N;
  readonly detail: string;
}

/** The smallest and the largest number that is taken. */
export interface Limits {
  readonly min: number;
  readonly max: number;
}

/** Where a {@link VariableReader} reads. */
export interface ReaderSource {
  /** A variable's value, undefined where it is unset; empty counts as unset. */
  readonly read: (name: string) => string | undefined;
  /** The text of a file. */
  readonly readFile: (path: string) => string;
}

/** Reads variables of a table as what they should be, and collects what is wrong instead of throwing. */
export class VariableReader<N extends string> {
  /** What was wrong so far. */
  readonly problems: ConfigProblem<N>[] = [];
  readonly #defaults: ReadonlyMap<N, string | undefined>;
  readonly #source: ReaderSource;

  constructor(variables: readonly Variable<N>[], source: ReaderSource) {
    this.#defaults = new Map(variables.map((variable) => [variable.name, variable.default]));
    this.#source = source;
  }

  /** Notes a problem. */
  report(variable: N, detail: string): void {
    this.problems.push({ variable, detail });
  }

  /** The value or its default, without white space around it; undefined where there is neither. */
  text(name: N): string | undefined {
    return this.given(name) ?? this.#defaults.get(name);
  }

  /** The value without its default. */
  given(name: N): string | undefined {
    const value = this.#source.read(name)?.trim();
    return value === "" ? undefined : value;
  }

  /** The value where `pattern` fits; else it reports `rule`. */
  matching(name: N, pattern: RegExp, rule: string): string {
    const value = this.text(name) ?? "";
    if (!pattern.test(value)) this.report(name, rule);
    return value;
  }

  /** A whole number; the variable has a default. */
  integer(name: N, limits: Limits): number {
    return this.optionalInteger(name, limits) ?? limits.min;
  }

  /** A whole number, undefined where unset. */
  optionalInteger(name: N, { min, max }: Limits): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (/^\d{1,15}$/.test(value) && number >= min && number <= max) return number;
    this.report(name, `Must be a whole number from ${min} to ${max}`);
    return undefined;
  }

  /** One of the known texts, `otherwise` where unset. */
  choice<const T extends string>(name: N, known: readonly T[], otherwise: T): T {
    const value = this.text(name);
    if (value === undefined) return otherwise;
    const found = known.find((candidate) => candidate === value);
    if (found === undefined) this.report(name, `Must be one of: ${known.join(", ")}`);
    return found ?? otherwise;
  }

  /** `1` or `true`, `0` or `false`. */
  flag(name: N): boolean {
    const value = this.text(name);
    if (value !== undefined && !/^(1|0|true|false)$/.test(value)) {
      this.report(name, "Must be 1 or 0");
    }
    return value === "1" || value === "true";
  }

  /** PEM text that contains `label`: the value itself, with `\n` for line breaks allowed, or the file it names. */
  pem(name: N, label: string): string | undefined {
    const value = this.given(name);
    if (value === undefined) return undefined;
    const text = value.startsWith("-----BEGIN") ? inlinePem(value) : this.#file(name, value);
    if (text === undefined) return undefined;
    if (!text.includes("-----BEGIN") || !text.includes(`${label}-----`)) {
      this.report(name, `Is not PEM text with a ${label}, nor a path to it`);
    } else if (!isReadable(text)) {
      this.report(name, "Holds a certificate that cannot be read");
    }
    return text;
  }

  /** The value itself where it begins with `start`, else the text of the file it names. */
  textOrFile(name: N, start: string): string | undefined {
    const value = this.given(name);
    return value === undefined || value.startsWith(start) ? value : this.#file(name, value);
  }

  #file(name: N, path: string): string | undefined {
    try {
      return this.#source.readFile(path);
    } catch (error) {
      const reason = error instanceof Error ? error.name : "unknown error";
      this.report(name, `Cannot read the file that it names (${reason})`);
      return undefined;
    }
  }
}

/** The runtime's TLS ends the process where it finds out itself, in a callback that nobody can guard. */
function isReadable(pem: string): boolean {
  try {
    readCertificates(pem);
    return true;
  } catch {
    return false;
  }
}

/** Many hosts take a variable of one line only, so that line breaks come as `\n`. */
function inlinePem(value: string): string {
  return `${value.replaceAll("\\r", "").replaceAll("\\n", "\n")}\n`;
}
