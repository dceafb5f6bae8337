/** Whether a name has wildcards. */
export function isPattern(name: string): boolean {
  return name.includes("*");
}

const ANY = 0x2a;
const NOT_IN_STAR = new Set([..."./:"].map((c) => c.charCodeAt(0)));

/** Whether `*` can stand for a character, by its code. */
export function isInStar(code: number): boolean {
  return !NOT_IN_STAR.has(code);
}

/**
 * A topic with wildcards: `*` matches one or more characters but not `.`, `/` or `:`; `**` matches anything, also
 * nothing. Neither matches a topic with a leading `$`.
 *
 * Matching follows all possibilities at once, one character of the topic at a time, so that no pattern can make it take
 * more than (length of the topic) x (length of the pattern) steps.
 */
export class TopicPattern {
  /** The literal start that every match has. */
  readonly prefix: string;
  readonly #tokens: readonly number[];

  constructor(readonly text: string) {
    this.prefix = text.slice(0, text.indexOf("*"));
    this.#tokens = patternTokens(text);
  }

  /** Whether a topic matches. */
  matches(topic: string): boolean {
    if (topic.startsWith("$") || !topic.startsWith(this.prefix)) return false;
    const tokens = this.#tokens;
    let states = skipFree(tokens, new Uint8Array(tokens.length + 1), this.prefix.length);
    for (let i = this.prefix.length; i < topic.length; i++) {
      states = step(tokens, states, topic.charCodeAt(i));
    }
    return states[tokens.length] === 1;
  }
}

/** The token for one of the characters that `*` stands for. */
export const STAR_ONE = -1;
/** The token for zero or more of them. */
export const STAR_MORE = -2;
/** The token for zero or more of any character. */
export const GLOB = -3;

/** The tokens of a topic or pattern: the code of a character, or one of the above; `*` is STAR_ONE and STAR_MORE. */
export function patternTokens(text: string): number[] {
  const tokens: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) !== ANY) tokens.push(text.charCodeAt(i));
    else if (text.charCodeAt(i + 1) === ANY) {
      tokens.push(GLOB);
      i++;
    } else tokens.push(STAR_ONE, STAR_MORE);
  }
  return tokens;
}

function skipFree(tokens: readonly number[], states: Uint8Array, from: number): Uint8Array {
  // what was reached before took all that follows freely with it
  if (states[from] === 1) return states;
  let at = from;
  states[at] = 1;
  while (tokens[at] === STAR_MORE || tokens[at] === GLOB) states[++at] = 1;
  return states;
}

function step(tokens: readonly number[], states: Uint8Array, code: number): Uint8Array {
  const next = new Uint8Array(states.length);
  for (let at = 0; at < tokens.length; at++) {
    if (states[at] === 0) continue;
    const token = tokens[at];
    const inStar = isInStar(code);
    if (token === GLOB || (token === STAR_MORE && inStar)) skipFree(tokens, next, at);
    else if (token === code || (token === STAR_ONE && inStar)) skipFree(tokens, next, at + 1);
  }
  return next;
}
