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
  /** Width of the screen in characters. */
  readonly columns: number;
}

/** The terminal of this process. Colours are off where stdout is no terminal or `NO_COLOR` is set. */
export function processTerminal(): Terminal {
  const interactive = Deno.stderr.isTerminal();
  const colours = Deno.stdout.isTerminal() && interactive && !Deno.noColor;
  let drawn = false;
  const clear = () => {
    if (drawn) write(Deno.stderr, "\r\x1b[K");
    drawn = false;
  };
  return {
    interactive,
    get columns() {
      return interactive ? Deno.consoleSize().columns : 80;
    },
    style: (style, text) => colours ? styleText(style, text, { validateStream: false }) : text,
    out(line) {
      clear();
      write(Deno.stdout, line + "\n");
    },
    err(line) {
      clear();
      write(Deno.stderr, line + "\n");
    },
    status(text) {
      clear();
      if (!interactive || text === "") return;
      write(Deno.stderr, text);
      drawn = true;
    },
  };
}

function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += stream.writeSync(bytes.subarray(done));
}
