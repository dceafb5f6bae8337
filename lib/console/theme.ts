import { keep, readKept } from "./kept.ts";
import { Store } from "./store.ts";

/** Which colours are shown; `system` follows what the machine prefers. */
export type Theme = "system" | "light" | "dark";

const KEY = "runnel-theme";
const ORDER: readonly Theme[] = ["system", "light", "dark"];

/** The chosen theme; a change is kept in this browser. */
export const theme = new Store<Theme>(readTheme());

/** Shows the chosen theme, now and after each change. */
export function applyTheme(): void {
  const apply = () => {
    if (theme.value === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme.value;
  };
  apply();
  theme.follow(() => {
    apply();
    keep("localStorage", KEY, theme.value);
  });
}

/** The theme that follows one when the button is pressed. */
export function nextTheme(after: Theme): Theme {
  return ORDER[(ORDER.indexOf(after) + 1) % ORDER.length] ?? "system";
}

/** Calls back when other colours are shown, by choice or by the machine, until what it returns is called. */
export function followColours(listener: () => void): () => void {
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", listener);
  const unfollow = theme.follow(listener);
  return () => {
    media.removeEventListener("change", listener);
    unfollow();
  };
}

function readTheme(): Theme {
  const kept = readKept("localStorage", KEY);
  return ORDER.find((one) => one === kept) ?? "system";
}
