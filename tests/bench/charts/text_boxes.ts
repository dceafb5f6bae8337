/** Where the words of a picture are, for tests. */
import { textWidth } from "./svg.ts";

/** A text and the box around it, with as much room as it can need. */
export interface TextBox {
  readonly words: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The texts of a picture. */
export function textBoxesOf(svg: string): TextBox[] {
  const texts = svg.matchAll(/<text ([^>]*)>([^<]*)<\/text>/g);
  return [...texts].map(([, attributes = "", escaped = ""]) => {
    const of = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
    const [x, y, size] = [Number(of("x")), Number(of("y")), Number(of("font-size"))];
    const words = escaped.replace(/&\w+;/g, "&");
    const width = textWidth(words, size);
    const anchor = of("text-anchor");
    const left = x - (anchor === "end" ? width : anchor === "middle" ? width / 2 : 0);
    return { words, left, right: left + width, top: y - 0.8 * size, bottom: y + 0.2 * size };
  });
}

/** Those that are not wholly in the picture's view box. */
export function textsOutside(svg: string): string[] {
  const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg)?.map(Number) ?? [];
  return textBoxesOf(svg).filter(({ left, right, top, bottom }) =>
    !(left >= 0 && top >= 0 && right <= (width ?? 0) && bottom <= (height ?? 0))
  ).map(({ words }) => words);
}

/** Pairs of texts of which one covers a part of the other. */
export function overlappingTexts(svg: string): string[] {
  const boxes = textBoxesOf(svg);
  return boxes.flatMap((one, index) =>
    boxes.slice(index + 1).filter((other) =>
      one.left < other.right && other.left < one.right &&
      one.top < other.bottom && other.top < one.bottom
    ).map((other) => `${one.words} / ${other.words}`)
  );
}
