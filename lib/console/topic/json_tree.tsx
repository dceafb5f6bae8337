import { useState } from "preact/hooks";
import { Button } from "../ui/button.tsx";
import { formatBytes, formatNumber } from "../ui/format.ts";
import {
  childrenAt,
  countChildren,
  type JsonChild,
  kindAt,
  type Span,
  startOfString,
} from "./raw_json.ts";
import { LongText, START_MOST } from "./long_text.tsx";

/** Children that are shown at first, and then each time. */
const CHILDREN = 50;
const MORE = 500;
/** Characters of a string, and of a name. */
const STRING_MOST = 300;
const NAME_MOST = 120;
/** Characters up to which a value's children are counted. */
const COUNTED_MOST = 200_000;
/** Characters up to which a whole value is shown open, and how deep. */
const OPEN_MOST = 4_000;
const OPEN_DEPTH = 6;

/** What {@link JsonTree} takes. */
export interface JsonTreeProps {
  /** A text that has valid JSON at {@link span}. */
  readonly text: string;
  readonly span: Span;
}

/** A JSON value whose objects and arrays open and close. Only what is open is read. */
export function JsonTree({ text, span }: JsonTreeProps) {
  const isSmall = span.end - span.start <= OPEN_MOST;
  return (
    <div class="tp-tree mono">
      <Value text={text} child={{ value: span }} depth={0} openTo={isSmall ? OPEN_DEPTH : 1} />
    </div>
  );
}

interface ValueProps {
  readonly text: string;
  readonly child: JsonChild;
  readonly depth: number;
  /** Up to which depth it is open at first. */
  readonly openTo: number;
}

function Value(props: ValueProps) {
  const { text, child: { key, value } } = props;
  const kind = kindAt(text, value.start);
  if (kind === "object" || kind === "array") return <Container {...props} />;
  return (
    <div class="tp-leaf">
      <Name text={text} span={key} />
      {kind === "string"
        ? <StringValue text={text} span={value} />
        : <span class={`tp-${kind}`}>{text.slice(value.start, value.end)}</span>}
    </div>
  );
}

function Container({ text, child: { key, value }, depth, openTo }: ValueProps) {
  const [isOpen, setOpen] = useState(depth < openTo);
  const [most, setMost] = useState(CHILDREN);
  const isObject = text.charAt(value.start) === "{";
  const [open, close] = isObject ? ["{", "}"] : ["[", "]"];
  if (text.slice(value.start + 1, value.end - 1).trimStart() === "") {
    return (
      <div class="tp-leaf">
        <Name text={text} span={key} />
        {open}
        {close}
      </div>
    );
  }
  const { children, hasMore } = isOpen ? firstChildren(text, value.start, most) : NONE;
  return (
    <div>
      <button
        type="button"
        class="tp-toggle"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <Name text={text} span={key} />
        {open}
        {!isOpen && <span class="muted">{sizeText(text, value, isObject)}</span>}
        {!isOpen && close}
      </button>
      {isOpen && (
        <>
          <div class="tp-children">
            {children.map((child) => (
              <Value
                key={child.value.start}
                text={text}
                child={child}
                depth={depth + 1}
                openTo={openTo}
              />
            ))}
            {hasMore && (
              <Button size="small" onClick={() => setMost(most + MORE)}>
                Show {formatNumber(MORE)} more
              </Button>
            )}
          </div>
          <div class="tp-close">{close}</div>
        </>
      )}
    </div>
  );
}

function StringValue({ text, span }: { readonly text: string; readonly span: Span }) {
  const [isWhole, setWhole] = useState(false);
  const length = span.end - span.start - 2;
  const start = startOfString(text, span, STRING_MOST);
  if (length <= STRING_MOST || start.length < STRING_MOST - 1) {
    return <span class="tp-string">"{start}"</span>;
  }
  if (isWhole) {
    return (
      <LongText
        label="Text"
        start={startOfString(text, span, START_MOST)}
        length={length}
        whole={() => JSON.parse(text.slice(span.start, span.end))}
      />
    );
  }
  return (
    <span class="tp-string">
      "{start}…"{" "}
      <Button size="small" onClick={() => setWhole(true)}>
        Show more of {formatBytes(length)}
      </Button>
    </span>
  );
}

function Name({ text, span }: { readonly text: string; readonly span: Span | undefined }) {
  if (span === undefined) return null;
  return (
    <>
      <span class="tp-name">{startOfString(text, span, NAME_MOST)}</span>
      {": "}
    </>
  );
}

const NONE = { children: [], hasMore: false } as const;

function firstChildren(text: string, at: number, most: number) {
  const children: JsonChild[] = [];
  for (const child of childrenAt(text, at)) {
    if (children.length === most) return { children, hasMore: true };
    children.push(child);
  }
  return { children, hasMore: false };
}

function sizeText(text: string, { start, end }: Span, isObject: boolean): string {
  if (end - start > COUNTED_MOST) return ` ${formatBytes(end - start)} `;
  const count = countChildren(text, start);
  return ` ${formatNumber(count)} ${isObject ? "field" : "item"}${count === 1 ? "" : "s"} `;
}
