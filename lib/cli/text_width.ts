// What takes two columns: East Asian wide and full-width characters, and emoji; what takes none: marks that join the
// character before them.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const JOINED = /^[\p{Mn}\p{Me}\u200b-\u200d\ufe00-\ufe0f]$/u;

/** How many columns of a terminal a text takes. It is near enough for names; no two terminals agree on all of Unicode. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

/** The text in exactly so many columns: filled up with spaces, or cut, with an ellipsis at the end. */
export function fitted(text: string, columns: number): string {
  const width = textWidth(text);
  if (width <= columns) return text + " ".repeat(columns - width);
  let cut = "";
  let used = 0;
  for (const character of text) {
    const next = used + widthOf(character);
    if (next > columns - 1) break;
    cut += character;
    used = next;
  }
  return columns < 1 ? "" : `${cut}…${" ".repeat(columns - 1 - used)}`;
}

function widthOf(character: string): number {
  if (character >= " " && character <= "~") return 1;
  if (JOINED.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
