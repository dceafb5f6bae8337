import { Badge } from "../ui/badge.tsx";
import { classes } from "../ui/classes.ts";
import { formatAge, formatBytes, formatTime } from "../ui/format.ts";
import { rowText } from "./row_text.ts";
import type { TailRow } from "./tail_buffer.ts";
import { gapText } from "./tail_words.ts";

/** What {@link MessageRow} takes. */
export interface MessageRowProps {
  readonly id: string;
  readonly row: TailRow;
  /** Which one it is, from 1. */
  readonly place: number;
  /** Of how many. */
  readonly places: number;
  /** Where it stands, and how high it is, in pixels. */
  readonly top: number;
  readonly height: number;
  /** The server's time in milliseconds since 1970. */
  readonly now: number;
  readonly isChosen: boolean;
  readonly onClick: () => void;
}

/** Characters from which on a message's size is said. */
const LARGE = 10_000;

/** One row of a list of messages. */
export function MessageRow(props: MessageRowProps) {
  const { id, row, place, places, top, height, isChosen, onClick } = props;
  return (
    <div
      id={id}
      role="option"
      class={classes("tl-row", `is-${row.kind}`, isChosen && "chosen")}
      style={{ top: `${top}px`, height: `${height}px` }}
      aria-selected={isChosen}
      aria-posinset={place}
      aria-setsize={places}
      onClick={onClick}
    >
      <RowContent row={row} now={props.now} />
    </div>
  );
}

function RowContent({ row, now }: { readonly row: TailRow; readonly now: number }) {
  if (row.kind === "gap") {
    return (
      <>
        <span class="tl-time">{formatTime(row.at)}</span>
        <Badge tone="bad">Gap</Badge>
        <span class="tl-text">{gapText(row.reason)}</span>
      </>
    );
  }
  if (row.kind === "notice") {
    return (
      <>
        <span class="tl-time">{formatTime(row.at)}</span>
        <span class="tl-text">{row.text}</span>
      </>
    );
  }
  const { message } = row;
  return (
    <>
      <span class="tl-time">{formatTime(message.time)}</span>
      <span class="tl-cell type">
        {message.type !== undefined && <span class="tl-type">{message.type}</span>}
      </span>
      <span class="tl-cell key">
        {message.key !== undefined && <span class="tl-key">{message.key}</span>}
      </span>
      <span class="tl-text mono">{rowText(message)}</span>
      {message.text.length > LARGE && (
        <span class="tl-size">{formatBytes(message.text.length)}</span>
      )}
      <span class="tl-age">{formatAge(now - message.time)}</span>
    </>
  );
}
