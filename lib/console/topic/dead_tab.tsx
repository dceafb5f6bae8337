import { useEffect, useState } from "preact/hooks";
import type { Api } from "../api.ts";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { classes } from "../ui/classes.ts";
import { formatAge, formatDateTime, formatNumber } from "../ui/format.ts";
import { Notice } from "../ui/notice.tsx";
import { deadTopic, deathOf } from "./dead_letter.ts";
import { type RawMessage, readPage } from "./raw_message.ts";
import { Refusal } from "./refusal.tsx";
import { rowText } from "./row_text.ts";
import { faultOf, type StreamFault } from "./tail_words.ts";
import { type GroupInfo, topicPath } from "./topic_info.ts";
import { useServerTime } from "./use_server_time.ts";

/** What {@link DeadTab} takes. */
export interface DeadTabProps {
  readonly api: Api;
  readonly topic: string;
  readonly groups: readonly GroupInfo[];
  readonly chosen: RawMessage | undefined;
  readonly onChoose: (message: RawMessage) => void;
  /** Looks at the topic anew. */
  readonly onChange: () => void;
}

/** What a redrive did. */
interface Redriven {
  readonly redriven: number;
  readonly unknown: readonly string[];
}

const LIMIT = 50;

/** The dead letters of a topic, and the way back for them. */
export function DeadTab(props: DeadTabProps) {
  const { api, topic, groups, chosen, onChoose, onChange } = props;
  const now = useServerTime(api.clock);
  const [letters, setLetters] = useState<readonly RawMessage[]>();
  const [next, setNext] = useState<string>();
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [closed, setClosed] = useState<ReadonlyMap<string, string>>(new Map());
  const [fault, setFault] = useState<StreamFault>();
  const [redriveFault, setRedriveFault] = useState<StreamFault>();
  const [result, setResult] = useState<string>();
  const [asksAll, setAsksAll] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const open = groups.reduce((sum, { dead }) => sum + dead, 0);

  const read = async (before?: string) => {
    setFault(undefined);
    try {
      const page = await readLetters(api, topic, before);
      setLetters((known) =>
        before === undefined ? page.messages : [...known ?? [], ...page.messages]
      );
      setNext(page.next);
    } catch (error) {
      setFault(faultOf(error));
    }
  };
  // others' dead letters come, and others give them back
  useEffect(() => void read(), [open]);

  const redrive = async (ids?: readonly string[]) => {
    setAsksAll(false);
    setRedriveFault(undefined);
    setResult(undefined);
    setBusy(true);
    try {
      const json = ids === undefined ? {} : { ids };
      const done = await api.call<Redriven>("POST", topicPath(topic, "redrive"), { json });
      const unknown = new Set(done.unknown);
      const given = ids ?? (letters ?? []).flatMap(({ id }) => id ?? []);
      setClosed(
        new Map([
          ...closed,
          ...given.map((id) =>
            [id, unknown.has(id) ? "was given back before" : "given back"] as const
          ),
        ]),
      );
      setPicked(new Set());
      setResult(redrivenText(done));
      onChange();
    } catch (error) {
      setRedriveFault(faultOf(error));
    } finally {
      setBusy(false);
    }
  };

  const pick = (id: string, isPicked: boolean) => {
    const others = [...picked].filter((one) => one !== id);
    setPicked(new Set(isPicked ? [...others, id] : others));
  };
  const canPick = (letters ?? []).flatMap(({ id }) => id !== null && !closed.has(id) ? [id] : []);
  const arePicked = canPick.length > 0 && canPick.every((id) => picked.has(id));

  return (
    <div class="stack">
      <div class="tl-bar">
        <span>
          {open === 0
            ? "No dead letter waits"
            : `${formatNumber(open)} dead letter${
              open === 1 ? " waits" : "s wait"
            } to be given back`}
        </span>
        <div class="row">
          <Button disabled={isBusy} onClick={() => void read()}>Refresh</Button>
          <Button
            kind="primary"
            disabled={isBusy || picked.size === 0}
            onClick={() => void redrive([...picked])}
          >
            Redrive {picked.size === 0 ? "selected" : `${formatNumber(picked.size)} selected`}
          </Button>
          <Button disabled={isBusy || open === 0} onClick={() => setAsksAll(true)}>
            Redrive all
          </Button>
        </div>
      </div>
      {result !== undefined && <Notice tone="ok">{result}</Notice>}
      {redriveFault !== undefined && (
        <Refusal fault={redriveFault} what="to give dead letters back" right="manage" />
      )}
      {fault !== undefined && (
        <Refusal
          fault={fault}
          what="to read the dead letters"
          right="subscribe"
          topic={deadTopic(topic)}
          onRetry={() => void read()}
        />
      )}
      {letters !== undefined && letters.length === 0 && (
        <div class="card empty">
          <strong>There are no dead letters</strong>
          <span>A message comes here when a group has been given it too often without an ack</span>
        </div>
      )}
      {letters !== undefined && letters.length > 0 && (
        <div class="card table-frame" tabIndex={0} role="region" aria-label="Dead letters">
          <table class="table tp-dead">
            <thead>
              <tr>
                <th scope="col">
                  <input
                    type="checkbox"
                    aria-label="Select all that are shown"
                    checked={arePicked}
                    disabled={canPick.length === 0}
                    onChange={() =>
                      setPicked(new Set(arePicked ? [] : canPick))}
                  />
                </th>
                <th scope="col">Died</th>
                <th scope="col">Group</th>
                <th scope="col">Reason</th>
                <th scope="col" class="right">Deliveries</th>
                <th scope="col">Payload</th>
                <th scope="col">
                  <span class="hidden-text">What can be done</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {letters.map((letter) => (
                <Letter
                  key={letter.id}
                  letter={letter}
                  now={now}
                  isChosen={letter === chosen}
                  isPicked={picked.has(letter.id ?? "")}
                  closed={closed.get(letter.id ?? "")}
                  isBusy={isBusy}
                  onPick={pick}
                  onInspect={() => onChoose(letter)}
                  onRedrive={(id) =>
                    void redrive([id])}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {next !== undefined && (
        <div>
          <Button onClick={() => void read(next)}>Older dead letters</Button>
        </div>
      )}
      {letters !== undefined && letters.length > 0 && (
        <p class="small muted">
          The list also has letters that were given back, until retention removes them.
        </p>
      )}
      {asksAll && (
        <ConfirmDialog
          title="Redrive all dead letters?"
          action="Redrive all"
          onConfirm={() => void redrive()}
          onClose={() => setAsksAll(false)}
        >
          <p>
            {formatNumber(open)}{" "}
            go back to the groups that gave them up, and are delivered as if for the first time.
          </p>
        </ConfirmDialog>
      )}
    </div>
  );
}

interface LetterProps {
  readonly letter: RawMessage;
  readonly now: number;
  readonly isChosen: boolean;
  readonly isPicked: boolean;
  /** What became of it; undefined where it may still be waiting. */
  readonly closed: string | undefined;
  readonly isBusy: boolean;
  readonly onPick: (id: string, isPicked: boolean) => void;
  readonly onInspect: () => void;
  readonly onRedrive: (id: string) => void;
}

function Letter(props: LetterProps) {
  const { letter, now, isChosen, isPicked, closed, isBusy, onPick, onInspect, onRedrive } = props;
  const id = letter.id ?? "";
  const { group, reason, deliveries } = deathOf(letter);
  return (
    <tr class={classes(isChosen && "chosen")}>
      <td>
        <input
          type="checkbox"
          aria-label={`Select ${id}`}
          checked={isPicked}
          disabled={closed !== undefined}
          onChange={(event) => onPick(id, event.currentTarget.checked)}
        />
      </td>
      <td class="nowrap" title={formatDateTime(letter.time)}>{formatAge(now - letter.time)}</td>
      <td>{group}</td>
      <td>{reason}</td>
      <td class="right">{deliveries}</td>
      <td>
        <button type="button" class="tp-link mono tp-dead-text" onClick={onInspect}>
          <span class="hidden-text">Inspect</span>
          {rowText(letter)}
        </button>
      </td>
      <td class="right nowrap">
        {closed === undefined
          ? (
            <Button
              size="small"
              disabled={isBusy}
              aria-label={`Redrive ${id}`}
              onClick={() => onRedrive(id)}
            >
              Redrive
            </Button>
          )
          : <Badge tone="ok">{closed}</Badge>}
      </td>
    </tr>
  );
}

async function readLetters(api: Api, topic: string, before: string | undefined) {
  const query = new URLSearchParams({
    limit: `${LIMIT}`,
    order: "desc",
    ...(before === undefined ? {} : { before }),
  });
  try {
    return readPage(await api.text("GET", `${topicPath(deadTopic(topic), "messages")}?${query}`));
  } catch (error) {
    // nothing has died yet
    if (faultOf(error).status === 404) return { messages: [] };
    throw error;
  }
}

function redrivenText({ redriven, unknown }: Redriven): string {
  const given = `${formatNumber(redriven)} given back to ${
    redriven === 1 ? "its group" : "their groups"
  }`;
  if (unknown.length === 0) return given;
  return `${given}; ${formatNumber(unknown.length)} had been given back before`;
}
