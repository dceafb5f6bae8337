/** Where a browser keeps texts: for ever, or for as long as the tab lives. One that is told to keep nothing throws at the very name of it. */
export type Keeper = "localStorage" | "sessionStorage";

/** What is kept; undefined where nothing is, or nothing can be. */
export function readKept(keeper: Keeper, key: string): string | undefined {
  try {
    return globalThis[keeper].getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a text, or forgets it; where nothing can be kept it lasts as long as the page. */
export function keep(keeper: Keeper, key: string, text: string | undefined): void {
  try {
    if (text === undefined) globalThis[keeper].removeItem(key);
    else globalThis[keeper].setItem(key, text);
  } catch {
    // the page works without
  }
}
