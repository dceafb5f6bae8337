import { useEffect, useRef, useState } from "preact/hooks";
import type { Api } from "../api.ts";
import { Button } from "../ui/button.tsx";
import { formatBytes, formatNumber } from "../ui/format.ts";
import { MessageList } from "./message_list.tsx";
import type { RawMessage } from "./raw_message.ts";
import { Refusal } from "./refusal.tsx";
import { ReplayDialog } from "./replay_dialog.tsx";
import type { Tail } from "./tail.ts";
import { TailLight } from "./tail_light.tsx";
import { SINCE } from "./use_tail.ts";
import { useKeys } from "../ui/keys.ts";
import { useServerTime } from "./use_server_time.ts";

/** What {@link LiveTab} takes. */
export interface LiveTabProps {
  readonly api: Api;
  readonly tail: Tail;
  readonly topic: string;
  readonly isAway: boolean;
  readonly chosen: RawMessage | undefined;
  readonly onChoose: (message: RawMessage) => void;
  readonly onEnter: () => void;
}

const FILTER_DELAY_MS = 120;

/** A topic's messages as they come. */
export function LiveTab({ api, tail, topic, isAway, chosen, onChoose, onEnter }: LiveTabProps) {
  const now = useServerTime(api.clock);
  const [follows, setFollows] = useState(true);
  const [filter, setFilter] = useState(tail.filterText);
  const [since, setSince] = useState(SINCE);
  const [isReplaying, setReplaying] = useState(false);
  const filterField = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (filter === tail.filterText) return;
    const timer = setTimeout(() => {
      tail.filter(filter);
      setFollows(true);
    }, FILTER_DELAY_MS);
    return () => clearTimeout(timer);
  }, [filter]);
  useKeys({
    p: () => tail.isPaused ? tail.resume() : tail.pause(),
    "/": () => filterField.current?.focus(),
  });

  const { state } = tail;
  const fault = state.kind === "closed" ? state.fault : undefined;
  const atSince = fault?.errors.find(({ pointer }) => pointer === "?since");
  return (
    <>
      <div class="tl-bar">
        <TailLight tail={tail} isAway={isAway} />
        <Button
          aria-pressed={tail.isPaused}
          title="Pause or go on (p)"
          onClick={() => tail.isPaused ? tail.resume() : tail.pause()}
        >
          {tail.isPaused ? `Resume · ${formatNumber(tail.held)} held back` : "Pause"}
        </Button>
        <input
          class="input tl-filter"
          type="search"
          ref={filterField}
          aria-label="Filter"
          placeholder="Filter: text in payload, type, key or headers"
          title="Shows messages that have this text in them, in whatever case (/)"
          spellcheck={false}
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
        <Button onClick={() => setReplaying(true)}>Replay…</Button>
        <Button onClick={() => tail.clear()}>Clear</Button>
      </div>
      {fault !== undefined && atSince === undefined && (
        <Refusal
          fault={fault}
          what="to read this topic"
          right="subscribe"
          topic={topic}
          onRetry={() => tail.start(since)}
        />
      )}
      <div class="tl card" role="log" aria-live="off" aria-label={`Messages of ${topic}`}>
        {tail.shown.length === 0
          ? <Nothing isFiltered={filter.trim() !== ""} kept={tail.rows.length} />
          : (
            <MessageList
              rows={tail.shown}
              label="Messages as they come, the newest last"
              now={now}
              chosen={chosen}
              onChoose={onChoose}
              onEnter={onEnter}
              follows={follows}
              onFollow={setFollows}
            />
          )}
        {!follows && tail.shown.length > 0 && (
          <Button
            class="tl-newest"
            kind="primary"
            size="small"
            onClick={() => setFollows(true)}
          >
            Newest ↓
          </Button>
        )}
      </div>
      <Counts tail={tail} isFiltered={filter.trim() !== ""} />
      {(isReplaying || atSince !== undefined) && (
        <ReplayDialog
          since={since}
          error={atSince?.detail}
          onReplay={(from) => {
            setSince(from);
            setFollows(true);
            setReplaying(false);
            tail.start(from);
          }}
          onClose={() => {
            setReplaying(false);
            if (atSince === undefined) return;
            setSince(SINCE);
            tail.start(SINCE);
          }}
        />
      )}
    </>
  );
}

function Nothing({ isFiltered, kept }: { readonly isFiltered: boolean; readonly kept: number }) {
  return (
    <div class="empty tl-empty">
      <strong>{isFiltered ? "No message has this text" : "Nothing yet"}</strong>
      <span>
        {isFiltered
          ? `${formatNumber(kept)} messages were looked at, and new ones are as they come`
          : "Messages appear here the moment they are published"}
      </span>
    </div>
  );
}

function Counts({ tail, isFiltered }: { readonly tail: Tail; readonly isFiltered: boolean }) {
  const { rows, shown } = tail;
  return (
    <p class="tl-counts">
      <span>{formatNumber(tail.received)} received</span>
      {isFiltered && <span>{formatNumber(shown.matches)} match</span>}
      <span>{formatBytes(rows.characters)} kept here</span>
      {rows.dropped > 0 && (
        <span class="tl-dropped">
          the oldest {formatNumber(rows.dropped)} were dropped from this page; History has them
        </span>
      )}
    </p>
  );
}
