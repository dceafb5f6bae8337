import { writeText } from "../terminal.ts";

// the other screen, no cursor, no wrapping of long lines; and back
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
// a terminal that knows these shows a whole frame at once
const BEGIN = "\x1b[?2026h";
const END = "\x1b[?2026l";

/**
 * The whole terminal, until it is disposed: the screen that was there comes back then, also where this process ends by
 * an error that nobody caught.
 */
export class FullScreen implements Disposable {
  readonly #keys = new AbortController();
  #open = true;

  constructor(
    /** Told of every key, and of every change of size as `resize`. */
    readonly onKey: (key: string) => void,
  ) {
    writeText(Deno.stdout, ENTER);
    globalThis.addEventListener("unhandledrejection", this.#leave);
    globalThis.addEventListener("error", this.#leave);
    globalThis.addEventListener("unload", this.#leave);
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGWINCH", this.#resized);
    if (Deno.stdin.isTerminal()) {
      // with cbreak Ctrl-C stays a signal
      Deno.stdin.setRaw(true, { cbreak: true });
      void this.#readKeys();
    }
  }

  /** How large it is now; a terminal that does not know counts as an old one. */
  get size(): { readonly columns: number; readonly lines: number } {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || 80, lines: rows || 24 };
  }

  /** Shows these lines in place of what is there. */
  draw(lines: readonly string[]): void {
    if (!this.#open) return;
    const text = lines.map((line) => `${line}\x1b[K`).join("\r\n");
    writeText(Deno.stdout, `${BEGIN}\x1b[H${text}\x1b[J${END}`);
  }

  /** Gives the terminal back; calls after the first do nothing. */
  [Symbol.dispose](): void {
    this.#leave();
    globalThis.removeEventListener("unhandledrejection", this.#leave);
    globalThis.removeEventListener("error", this.#leave);
    globalThis.removeEventListener("unload", this.#leave);
    if (Deno.build.os !== "windows") Deno.removeSignalListener("SIGWINCH", this.#resized);
  }

  readonly #leave = (): void => {
    if (!this.#open) return;
    this.#open = false;
    this.#keys.abort();
    try {
      if (Deno.stdin.isTerminal()) Deno.stdin.setRaw(false);
      writeText(Deno.stdout, LEAVE);
    } catch {
      // the terminal itself is gone
    }
  };

  readonly #resized = (): void => this.onKey("resize");

  async #readKeys(): Promise<void> {
    const buffer = new Uint8Array(64);
    const decoder = new TextDecoder();
    while (!this.#keys.signal.aborted) {
      const length = await Deno.stdin.read(buffer).catch(() => null);
      if (length === null) return;
      for (const key of keysOf(decoder.decode(buffer.subarray(0, length)))) this.onKey(key);
    }
  }
}

const NAMES: Readonly<Record<string, string>> = {
  "\x1b": "escape",
  "\x1b[A": "up",
  "\x1bOA": "up",
  "\x1b[B": "down",
  "\x1bOB": "down",
  "\x1b[5~": "page up",
  "\x1b[6~": "page down",
  "\x1b[H": "home",
  "\x1bOH": "home",
  "\x1b[1~": "home",
  "\x1b[F": "end",
  "\x1bOF": "end",
  "\x1b[4~": "end",
  " ": "page down",
  k: "up",
  j: "down",
  g: "home",
  G: "end",
};

/** The keys that a terminal's bytes stand for, by name where they have one. */
export function keysOf(text: string): string[] {
  // deno-lint-ignore no-control-regex -- keys without a letter come as escape sequences
  const keys = text.match(/\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])|[^]/gu) ?? [];
  return keys.map((key) => NAMES[key] ?? key);
}
