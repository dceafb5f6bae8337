/** The browser's own things that are used, where there are any: this is checked without the types of a browser. */
interface PageGlobals {
  readonly document?: EventTarget & { readonly visibilityState: string };
  readonly navigator?: { readonly locks?: Locks };
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

/** Web Locks, as far as they are used. */
export interface Locks {
  request(
    name: string,
    options: {
      readonly mode?: "exclusive" | "shared";
      readonly steal?: boolean;
      readonly signal?: AbortSignal;
    },
    held: () => Promise<void>,
  ): Promise<void>;
}

// a browser has them, Deno and Node only some of them
const page = globalThis as PageGlobals;

/** The Web Locks of a page that is shown; undefined outside of pages, and in pages that are not secure. */
export const locks: Locks | undefined = page.document && page.navigator?.locks;

/** A page is put aside. */
export const SLEEPING = ["pagehide", "freeze"];
/** A page that was put aside comes back. */
export const WAKING = ["pageshow", "resume"];

/** Whether the page can be seen; true where there is none. */
export function isVisible(): boolean {
  return page.document?.visibilityState !== "hidden";
}

/** Calls back at events of the window and of the document, until the returned function is called. */
export function onPage(names: readonly string[], listener: () => void): () => void {
  const { document } = page;
  if (!document) return () => {};
  for (const name of names) {
    page.addEventListener?.(name, listener);
    document.addEventListener(name, listener);
  }
  return () => {
    for (const name of names) {
      page.removeEventListener?.(name, listener);
      document.removeEventListener(name, listener);
    }
  };
}
