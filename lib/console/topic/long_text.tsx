import { useState } from "preact/hooks";
import { Button } from "../ui/button.tsx";
import { formatBytes } from "../ui/format.ts";
import { wellFormedStart } from "./raw_json.ts";

/** Characters that are shown at once. */
const MOST = 10_000;
/** A piece that the browser lays out when it is seen, and not before. */
const PIECE = 4_000;

/** What {@link LongText} takes. */
export interface LongTextProps {
  readonly label: string;
  /** Its first characters, of which there are more than are shown at once where it is long. */
  readonly start: string;
  /** How long it is as a whole. */
  readonly length: number;
  /** Makes the whole of it. */
  readonly whole: () => string;
}

/** A text that may have megabytes: its start, and all of it where that is wanted. */
export function LongText({ label, start, length, whole }: LongTextProps) {
  const [isWhole, setWhole] = useState(false);
  if (length <= MOST) return <pre class="tp-text" tabIndex={0} aria-label={label}>{start}</pre>;
  return (
    <div class="stack close">
      <pre class="tp-text" tabIndex={0} aria-label={label}>
        {isWhole
          ? piecesOf(whole()).map((piece, i) => <span key={i} class="tp-piece">{piece}</span>)
          : `${wellFormedStart(start, MOST)}…`}
      </pre>
      {!isWhole && (
        <div>
          <Button size="small" onClick={() => setWhole(true)}>
            Show all {formatBytes(length)}
          </Button>
        </div>
      )}
    </div>
  );
}

/** Pieces that end with a line where there is one, and never within a character. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const piece = wellFormedStart(text.slice(at, at + PIECE), PIECE - 1);
    const line = piece.lastIndexOf("\n") + 1;
    const length = line > PIECE / 2 ? line : piece.length;
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}

/** As many characters as {@link LongText} wants of the start. */
export const START_MOST = MOST + 1;
