/** Words and coordinates as SVG takes them. */

/** Pixels of the widest of the fonts' lines for each character and pixel of its size, and a little more. */
const CHARACTER = 0.6;

/** Where and how words stand. */
export interface TextStyle {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly weight?: number;
  readonly fill: string;
  /** Which end of the words is at x. @default "start" */
  readonly anchor?: "start" | "middle" | "end";
}

/** Words on one line. */
export function text(
  { x, y, size, weight = 400, fill, anchor = "start" }: TextStyle,
  words: string,
): string {
  const anchored = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  return `<text x="${round(x)}" y="${
    round(y)
  }" font-size="${size}" font-weight="${weight}"${anchored} fill="${fill}">${
    escapeXml(words)
  }</text>`;
}

/** Pixels that words take at most. */
export function textWidth(words: string, size: number): number {
  return words.length * size * CHARACTER;
}

/** Text as XML takes it. */
export function escapeXml(words: string): string {
  const entities: Readonly<Record<string, string>> = {
    ...{ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" },
  };
  return words.replace(/[&<>"']/g, (character) => entities[character] ?? character)
    // deno-lint-ignore no-control-regex -- XML has no place for them
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "");
}

/** Coordinates need no more than a digit behind the point. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
