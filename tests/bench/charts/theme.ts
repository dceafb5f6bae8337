/** The colours of the pictures. */

/** The colours of a picture. */
export interface Theme {
  readonly text: string;
  readonly quiet: string;
  readonly runnel: string;
  readonly baseline: string;
  /** The line from the lowest to the highest round. */
  readonly range: string;
  /** Lines that only help the eye. */
  readonly grid: string;
}

/** For pages with a light and with a dark background. */
export const THEMES: Readonly<Record<"light" | "dark", Theme>> = {
  light: {
    ...{ text: "#1f2328", quiet: "#59636e", grid: "#d1d9e0" },
    ...{ runnel: "#0969da", baseline: "#afb8c1", range: "#1f2328" },
  },
  dark: {
    ...{ text: "#f0f6fc", quiet: "#9198a1", grid: "#3d444d" },
    ...{ runnel: "#4493f8", baseline: "#545d68", range: "#f0f6fc" },
  },
};
