import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Api } from "../api.ts";
import { Button } from "../ui/button.tsx";
import { formatDateTime, formatNumber } from "../ui/format.ts";
import { boundBefore, readBound } from "./history_bound.ts";
import { MessageList, type RowSource } from "./message_list.tsx";
import { type RawMessage, readPage } from "./raw_message.ts";
import { Refusal } from "./refusal.tsx";
import { faultOf, type StreamFault } from "./tail_words.ts";
import { topicPath } from "./topic_info.ts";
import { useServerTime } from "./use_server_time.ts";

/** What {@link HistoryTab} takes. */
export interface HistoryTabProps {
  readonly api: Api;
  readonly topic: string;
  readonly chosen: RawMessage | undefined;
  readonly onChoose: (message: RawMessage) => void;
  readonly onEnter: () => void;
}

/** A page of history, the newest message first. */
interface Page {
  readonly messages: readonly RawMessage[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
}

/** What is asked for: what comes before a bound, or after one. */
type Wanted = { readonly before?: string } | { readonly after: string };

const LIMIT = 200;

/** What a topic keeps, page by page. */
export function HistoryTab({ api, topic, chosen, onChoose, onEnter }: HistoryTabProps) {
  const now = useServerTime(api.clock);
  const [page, setPage] = useState<Page>();
  const [fault, setFault] = useState<StreamFault>();
  const [place, setPlace] = useState("");
  const [placeError, setPlaceError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const asked = useRef(0);

  const go = async (wanted: Wanted) => {
    const number = ++asked.current;
    setBusy(true);
    setFault(undefined);
    try {
      const found = await readHistory(api, topic, wanted);
      if (number === asked.current) setPage(found);
    } catch (error) {
      if (number === asked.current) setFault(faultOf(error));
    } finally {
      if (number === asked.current) setBusy(false);
    }
  };
  useEffect(() => void go({}), []);

  const jump = (event: Event) => {
    event.preventDefault();
    const after = readBound(place, api.clock.now());
    setPlaceError(
      after === undefined ? "An id, a time such as 2026-01-31 12:00, or 10m" : undefined,
    );
    if (after !== undefined) void go({ after });
  };

  const messages = page?.messages ?? [];
  const rows = useMemo(() => rowsOf(messages), [page]);
  const [newest, oldest] = [messages[0], messages.at(-1)];
  return (
    <>
      <div class="tl-bar">
        <div class="row" role="group" aria-label="Pages">
          <Button disabled={isBusy} onClick={() => void go({})}>Newest</Button>
          <Button
            disabled={isBusy || page?.hasNewer !== true}
            onClick={() => newest?.id && void go({ after: newest.id })}
          >
            ← Newer
          </Button>
          <Button
            disabled={isBusy || page?.hasOlder !== true}
            onClick={() => oldest?.id && void go({ before: oldest.id })}
          >
            Older →
          </Button>
          <Button disabled={isBusy} onClick={() => void go({ after: "0-0" })}>Oldest</Button>
        </div>
        <form class="tl-jump" onSubmit={jump}>
          <input
            class="input"
            aria-label="Go to an id or a time"
            aria-invalid={placeError === undefined ? undefined : true}
            placeholder="Id, time, or 10m ago"
            spellcheck={false}
            autocomplete="off"
            value={place}
            onInput={(event) => {
              setPlace(event.currentTarget.value);
              setPlaceError(undefined);
            }}
          />
          <Button type="submit">Go</Button>
        </form>
      </div>
      {placeError !== undefined && <p class="tp-wrong" role="alert">{placeError}</p>}
      {fault !== undefined && fault.status !== 404 && (
        <Refusal
          fault={fault}
          what="to read this topic"
          right="subscribe"
          topic={topic}
          onRetry={() => void go({})}
        />
      )}
      <div class="tl card" aria-busy={isBusy}>
        {messages.length === 0
          ? (
            <div class="empty tl-empty">
              <strong>
                {page === undefined && fault === undefined ? "Reading…" : "Nothing here"}
              </strong>
              {page !== undefined && <span>The topic keeps no message in this place</span>}
            </div>
          )
          : (
            <MessageList
              key={`${newest?.id} ${oldest?.id}`}
              rows={rows}
              label="Messages that are kept, the newest first"
              now={now}
              chosen={chosen}
              onChoose={onChoose}
              onEnter={onEnter}
            />
          )}
      </div>
      <p class="tl-counts">
        {newest !== undefined && oldest !== undefined && (
          <>
            <span>{formatNumber(messages.length)} messages</span>
            <span>{formatDateTime(oldest.time)} to {formatDateTime(newest.time)}</span>
          </>
        )}
      </p>
    </>
  );
}

/** Reads a page; one that turns out empty on the way to newer ones is the newest there is. */
async function readHistory(api: Api, topic: string, wanted: Wanted): Promise<Page> {
  const goesUp = "after" in wanted;
  const query = new URLSearchParams({
    limit: `${LIMIT}`,
    order: goesUp ? "asc" : "desc",
    ...(goesUp ? { after: wanted.after } : wanted.before ? { before: wanted.before } : {}),
  });
  const text = await api.text("GET", `${topicPath(topic, "messages")}?${query}`);
  const { messages, next } = readPage(text);
  const hasMore = next !== undefined;
  if (!goesUp) return { messages, hasOlder: hasMore, hasNewer: "before" in wanted };
  if (messages.length === 0) return await readHistory(api, topic, {});
  const oldest = messages[0]?.id ?? "";
  const hasOlder = wanted.after !== "0-0" && boundBefore(oldest) !== "0-0";
  return { messages: messages.reverse(), hasOlder, hasNewer: hasMore };
}

function rowsOf(messages: readonly RawMessage[]): RowSource {
  return {
    length: messages.length,
    shift: 0,
    at: (index) => {
      const message = messages[index];
      return message === undefined ? undefined : { kind: "message", message };
    },
    numberAt: (index) => index,
    indexOf: (number) => number,
  };
}
