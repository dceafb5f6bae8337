import { styleText } from "node:util";

/** A colour or weight that {@link Terminal.style} knows. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";

/** Where a command writes: results to `out`, everything that is said about them to `err`. */
export interface Terminal {
  /** Writes a line to stdout. Throws {@link Deno.errors.BrokenPipe} when nobody reads it any more. */
  out(line: string): void;
  /** Writes a line to stderr. */
  err(line: string): void;
  /** Draws a line on stderr that the next `out`, `err` or `status` replaces; an empty text removes it. */
  status(text: string): void;
  /** Wraps text in a colour, where colours are wanted. */
  style(style: Style, text: string): string;
  /** Whether a person looks at stderr, so that a moving status line makes sense. */
  readonly interactive: boolean;
  /** Whether a person looks at stdout: what stands in a message must not command the terminal then. */
  readonly screen: boolean;
  /** Width of the screen in characters. */
  readonly columns: number;
}

/** What decides about colours. */
export interface ColourWishes {
  /** Whether both stdout and stderr are terminals. */
  readonly screen: boolean;
  /** `FORCE_COLOR`; undefined where it is unset. */
  readonly force: string | undefined;
  /** Whether `NO_COLOR` is set. */
  readonly none: boolean;
  /** `TERM`. */
  readonly term: string | undefined;
}

/**
 * Whether to colour: on a terminal that can, unless `NO_COLOR` is set; `FORCE_COLOR` decides over both, as it does for
 * Deno and Node, and `FORCE_COLOR=0` means no.
 */
export function wantsColours({ screen, force, none, term }: ColourWishes): boolean {
  if (force !== undefined && force !== "") return force !== "0" && force !== "false";
  return screen && !none && term !== "dumb";
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const interactive = Deno.stderr.isTerminal();
  const screen = Deno.stdout.isTerminal();
  const colours = wantsColours({
    screen: screen && interactive,
    force: readable("FORCE_COLOR"),
    none: Deno.noColor,
    term: readable("TERM"),
  });
  let drawn = false;
  const clear = () => {
    if (drawn) writeText(Deno.stderr, "\r\x1b[K");
    drawn = false;
  };
  return {
    interactive,
    screen,
    get columns() {
      return interactive || screen ? Deno.consoleSize().columns || 80 : 80;
    },
    style: (style, text) => colours ? styleText(style, text, { validateStream: false }) : text,
    out(line) {
      clear();
      writeText(Deno.stdout, line + "\n");
    },
    err(line) {
      clear();
      writeText(Deno.stderr, line + "\n");
    },
    status(text) {
      clear();
      if (!interactive || text === "") return;
      writeText(Deno.stderr, text);
      drawn = true;
    },
  };
}

/** A variable that a command may lack the permission to read, which then counts as unset. */
export function readable(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) : undefined;
}

/** Writes all of a text, however much of it the other side takes at once. */
export function writeText(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += stream.writeSync(bytes.subarray(done));
}
