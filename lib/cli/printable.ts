// Control characters, and those that reorder the text around them or break lines: data must neither command the
// terminal nor look like something else.
const UNSAFE =
  // deno-lint-ignore no-control-regex -- control characters are what it looks for
  /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/**
 * The text on one line, with what would command a terminal escaped as in JSON. JSON on one line stays JSON that says the
 * same: it may hold DEL and C1 controls as they are.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** The same, but line breaks and tabs stay. */
export function printableLines(text: string): string {
  return text.replace(UNSAFE, (one) => one === "\n" || one === "\t" ? one : escaped(one));
}

function escaped(character: string): string {
  const short = JSON.stringify(character).slice(1, -1);
  if (short.length > 1) return short;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
