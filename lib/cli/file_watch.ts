// One save of an editor is several events, and a checkout many files.
const QUIET_MS = 150;
const SOURCES = /\.(tsx?|js|json|html|css|md)$/;
// what is made of other files
const MADE = /[/\\]built\.ts$/;

/** Watches source files for changes until it is disposed. */
export class FileWatch implements Disposable {
  readonly #watcher: Deno.FsWatcher;
  #changed = Promise.withResolvers<void>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    /** Files, and folders with all that is below them. */
    paths: readonly string[],
  ) {
    this.#watcher = Deno.watchFs([...paths]);
    this.#watch();
  }

  /** Resolves when something has changed since it was last asked, and nothing more does. */
  async next(): Promise<void> {
    await this.#changed.promise;
    this.#changed = Promise.withResolvers();
  }

  /** Stops watching. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#watcher.close();
  }

  async #watch(): Promise<void> {
    for await (const { kind, paths } of this.#watcher) {
      if (kind === "access" || !paths.some(isSource)) continue;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#changed.resolve(), QUIET_MS);
    }
  }
}

function isSource(path: string): boolean {
  return SOURCES.test(path) && !MADE.test(path);
}
