import { topicHref } from "../place.ts";
import { Badge } from "../ui/badge.tsx";
import { classes } from "../ui/classes.ts";
import {
  formatAge,
  formatBytes,
  formatDateTime,
  formatNumber,
  formatRate,
  formatShort,
  timeOfId,
} from "../ui/format.ts";
import { ratesOf, sparkPath } from "./rates.ts";
import type { TopicDetail } from "./topic_details.ts";
import type { TopicRow } from "./topic_rows.ts";

/** What {@link TopicLine} takes. */
export interface TopicLineProps {
  readonly row: TopicRow;
  /** Its place among all rows, from 0. */
  readonly index: number;
  readonly detail: TopicDetail | undefined;
  /** The server's time, in milliseconds since 1970. */
  readonly now: number;
}

const SPARK = { width: 96, height: 18 };

/** A topic in the list. */
export function TopicLine({ row, index, detail, now }: TopicLineProps) {
  const rates = ratesOf(row.samples);
  const rate = rates.at(-1) ?? undefined;
  const at = row.lastId === null ? undefined : timeOfId(row.lastId);
  return (
    <div class="topic-line" role="row" aria-rowindex={index + 2} data-index={index}>
      <div role="rowheader" class="name">
        <a class="cut" href={topicHref(row.topic)} title={row.topic}>{row.topic}</a>
      </div>
      <div role="cell" class="rate">
        <svg {...SPARK} viewBox={`0 -1 ${SPARK.width} ${SPARK.height + 2}`} aria-hidden="true">
          <path class="spark" d={sparkPath(rates, SPARK)} />
        </svg>
        <span class={classes("number", !rate && "muted")}>
          {rate === undefined ? "–" : formatRate(rate)}
        </span>
      </div>
      <div role="cell" class="right" title={`${formatNumber(row.count)} ever published`}>
        {formatShort(row.count)}
        <span class="unit">published</span>
      </div>
      <div
        role="cell"
        class="right last"
        title={at === undefined ? "" : formatDateTime(at)}
      >
        {at === undefined ? "never" : formatAge(now - at)}
      </div>
      <div role="cell" class="right" title="Memory in Redis">
        {detail === undefined ? "–" : formatBytes(detail.bytes)}
      </div>
      <div role="cell" class="right">
        {detail === undefined ? "–" : formatShort(detail.subscribers)}
        <span class="unit">subscribers</span>
      </div>
      <div role="cell" class="groups">
        <Groups detail={detail} />
      </div>
    </div>
  );
}

function Groups({ detail }: { readonly detail: TopicDetail | undefined }) {
  if (detail === undefined || detail.groups.length === 0) {
    return <span class="muted none">{detail === undefined ? "–" : "none"}</span>;
  }
  const sum = (name: "lag" | "dead") =>
    detail.groups.reduce((total, group) => total + group[name], 0);
  const [lag, dead] = [sum("lag"), sum("dead")];
  const names = detail.groups.map(({ group }) => group).join(", ");
  return (
    <>
      <Badge title={names}>{detail.groups.length}</Badge>
      {lag > 0 && <Badge tone="warn">lag {formatShort(lag)}</Badge>}
      {dead > 0 && <Badge tone="bad">dead {formatShort(dead)}</Badge>}
    </>
  );
}
