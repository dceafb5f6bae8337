import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Api, ApiError } from "../api.ts";
import { topicHref } from "../place.ts";
import { useStore } from "../store.ts";
import { Button } from "../ui/button.tsx";
import { formatNumber } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { useKeys } from "../ui/keys.ts";
import { Notice } from "../ui/notice.tsx";
import { FirstMessage } from "./first_message.tsx";
import { usePolling } from "./polling.ts";
import type { Range } from "./topic_list.ts";
import { TopicTable } from "./topic_table.tsx";
import type { TopicsModel } from "./topics_model.ts";

/** What {@link TopicsPanel} takes. */
export interface TopicsPanelProps {
  readonly api: Api;
  readonly model: TopicsModel;
  /** How many topics there are, where that is known. */
  readonly total: number | undefined;
}

const TYPING_MS = 150;
/** Rows before the end at which the next page is asked for. */
const AHEAD = 100;

/** All topics, or those that are searched. */
export function TopicsPanel({ api, model, total }: TopicsPanelProps) {
  const typed = useStore(model.search);
  const search = useSettled(typed, TYPING_MS);
  const list = model.listOf(search);
  const { rows: loaded, isComplete, isLoaded, isMissing, error } = useStore(list.state);
  const rows = model.matching(loaded, search);
  const input = useRef<HTMLInputElement>(null);
  const range = useRef<Range>({ start: 0, end: 0 });
  useKeys({ "/": () => input.current?.focus() });

  usePolling(list, () => rows === loaded ? range.current : { start: 0, end: loaded.length });
  const known = isComplete ? rows.length : undefined;
  const all = known ?? (search === "" ? total : undefined);
  const follow = (seen: Range) => {
    range.current = seen;
    if (!isComplete && seen.end > rows.length - AHEAD) void list.more();
    model.details.want(rows.slice(seen.start, seen.end).map(({ topic }) => topic));
  };
  return (
    <section class="card topics" aria-labelledby="topics-title">
      <div class="topics-bar">
        <h2 id="topics-title">Topics</h2>
        <span class="muted small number" role="status">
          {counted({ shown: rows.length, all, isLoaded, isSearch: search !== "" })}
        </span>
        <div class="search">
          <Icon name="search" />
          <input
            ref={input}
            class="input"
            type="search"
            aria-label="Search topics"
            placeholder={model.isSearchedHere ? "Search topics" : "Names that begin with …"}
            autocomplete="off"
            spellcheck={false}
            value={typed}
            onInput={({ currentTarget }) => model.search.value = currentTarget.value.trim()}
            onKeyDown={(event) => {
              const [first] = rows;
              if (event.key === "Escape") {
                model.search.value = "";
                event.currentTarget.blur();
              } else if (event.key === "Enter" && first !== undefined && search === typed) {
                location.hash = topicHref(first.topic);
              }
            }}
          />
          <kbd aria-hidden="true">/</kbd>
        </div>
      </div>
      {isMissing && (
        <Notice tone="warn">
          Some Redis servers are out of reach: their topics are not in the list.
        </Notice>
      )}
      {error !== undefined && !isTrouble(error) && <Notice tone="bad">{error.message}.</Notice>}
      {rows.length > 0
        ? (
          <TopicTable
            api={api}
            rows={rows}
            details={model.details}
            total={known ?? -1}
            onRange={follow}
          />
        )
        : (
          <Nothing isLoaded={isLoaded} error={error !== undefined} search={search}>
            <FirstMessage api={api} onPublished={() => list.refresh({ start: 0, end: 0 })} />
          </Nothing>
        )}
      {rows.length > 0 && !isComplete && (
        <div class="empty">
          <Button onClick={() => list.more()}>Load more</Button>
        </div>
      )}
    </section>
  );
}

function Nothing(
  { isLoaded, error, search, children }: {
    readonly isLoaded: boolean;
    readonly error: boolean;
    readonly search: string;
    readonly children: ComponentChildren;
  },
) {
  if (!isLoaded) return <div class="empty">{error ? "Nothing is known yet." : "Loading…"}</div>;
  if (search === "") return <>{children}</>;
  return (
    <div class="empty">
      <strong>No topic matches</strong>
      <span>Nothing is called “{search}”, or begins so.</span>
    </div>
  );
}

/** Whether the frame says it already. */
function isTrouble({ status, code }: ApiError): boolean {
  return status === 0 || code.startsWith("redis");
}

function counted(
  { shown, all, isLoaded, isSearch }: {
    readonly shown: number;
    readonly all: number | undefined;
    readonly isLoaded: boolean;
    readonly isSearch: boolean;
  },
): string {
  if (!isLoaded) return "";
  if (all === undefined || all < shown) return `more than ${formatNumber(shown)}`;
  return isSearch ? `${formatNumber(all)} found` : formatNumber(all);
}

/** A value once it has not changed for a while; the empty text at once. */
function useSettled(value: string, ms: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    if (value === "") return setSettled(value);
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
