import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Api } from "../api.ts";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { formatAge, formatNumber, formatSpan } from "../ui/format.ts";
import { toast } from "../ui/toast.tsx";
import { DeliveriesDialog } from "./deliveries_dialog.tsx";
import { Refusal } from "./refusal.tsx";
import { faultOf, type StreamFault } from "./tail_words.ts";
import { type GroupInfo, topicPath } from "./topic_info.ts";
import { useServerTime } from "./use_server_time.ts";

/** What {@link GroupsTab} takes. */
export interface GroupsTabProps {
  readonly api: Api;
  readonly topic: string;
  readonly groups: readonly GroupInfo[];
  /** Looks at the topic anew. */
  readonly onChange: () => void;
  readonly onDead: () => void;
}

/** The groups that consume a topic. */
export function GroupsTab({ api, topic, groups, onChange, onDead }: GroupsTabProps) {
  const now = useServerTime(api.clock);
  const [changed, setChanged] = useState<GroupInfo>();
  const [removed, setRemoved] = useState<GroupInfo>();
  const [fault, setFault] = useState<StreamFault>();

  const remove = async ({ topic: sub, group }: GroupInfo) => {
    setRemoved(undefined);
    setFault(undefined);
    try {
      await api.call("DELETE", topicPath(sub, "groups", group));
      toast(`The group ${group} is deleted`);
      onChange();
    } catch (error) {
      setFault(faultOf(error));
    }
  };

  return (
    <div class="stack">
      {fault !== undefined && <Refusal fault={fault} what="to manage groups" right="manage" />}
      {groups.length === 0 && (
        <div class="card empty">
          <strong>No group consumes this topic</strong>
          <span>
            A group is made by its first pull:{" "}
            <code>deno task work {topic} --group &lt;name&gt; -- &lt;command&gt;</code>
          </span>
        </div>
      )}
      {[...groups].sort(byName).map((group) => (
        <Group
          key={`${group.topic} ${group.group}`}
          topic={topic}
          group={group}
          now={now}
          onDead={onDead}
          onChange={() => setChanged(group)}
          onRemove={() => setRemoved(group)}
        />
      ))}
      {changed !== undefined && (
        <DeliveriesDialog
          api={api}
          group={changed}
          onDone={() => {
            setChanged(undefined);
            onChange();
          }}
          onClose={() => setChanged(undefined)}
        />
      )}
      {removed !== undefined && (
        <ConfirmDialog
          title={`Delete the group ${removed.group}?`}
          action="Delete the group"
          onConfirm={() => void remove(removed)}
          onClose={() => setRemoved(undefined)}
        >
          <p>
            What it has not done is done by nobody: {formatNumber(removed.lag)}{" "}
            messages not taken yet, {formatNumber(removed.pending)} pending and{" "}
            {formatNumber(removed.dead)} dead letters.
            {removed.topic !== topic && (
              <>
                {" "}It consumes the pattern{" "}
                <code>{removed.topic}</code>, and is deleted for all of its topics.
              </>
            )}
          </p>
        </ConfirmDialog>
      )}
    </div>
  );
}

interface GroupProps {
  readonly topic: string;
  readonly group: GroupInfo;
  readonly now: number;
  readonly onDead: () => void;
  readonly onChange: () => void;
  readonly onRemove: () => void;
}

function Group({ topic, group, now, onDead, onChange, onRemove }: GroupProps) {
  const { lag, pending, oldestPendingMs, dead, maxDeliveries, consumers } = group;
  return (
    <section class="card tp-group" aria-label={`Group ${group.group}`}>
      <header class="row spread">
        <div class="row">
          <h2>{group.group}</h2>
          {group.topic !== topic && <Badge title="The pattern it consumes">{group.topic}</Badge>}
        </div>
        <div class="row">
          <Button size="small" onClick={onChange}>Change deliveries</Button>
          <Button size="small" kind="danger" onClick={onRemove}>Delete</Button>
        </div>
      </header>
      <dl class="tp-figures">
        <Figure name="Lag" value={formatNumber(lag)} hint="not taken yet" />
        <Figure name="Pending" value={formatNumber(pending)} hint="leased, or due again" />
        <Figure
          name="Oldest pending"
          value={oldestPendingMs === null ? "–" : formatSpan(oldestPendingMs)}
        />
        <Figure
          name="Dead letters"
          value={dead === 0
            ? "0"
            : <button type="button" class="tp-link" onClick={onDead}>{formatNumber(dead)}</button>}
        />
        <Figure name="Most deliveries" value={formatNumber(maxDeliveries)} />
      </dl>
      {consumers.length === 0
        ? <p class="small muted">No consumer with a name has pulled</p>
        : (
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Consumer</th>
                <th scope="col" class="right">Holds</th>
                <th scope="col" class="right">Last seen</th>
              </tr>
            </thead>
            <tbody>
              {consumers.map(({ name, leased, seen }) => (
                <tr key={name}>
                  <th scope="row" class="mono">{name}</th>
                  <td class="right">{formatNumber(leased)}</td>
                  <td class="right nowrap">{formatAge(now - Date.parse(seen))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
    </section>
  );
}

function Figure({ name, value, hint }: {
  readonly name: string;
  readonly value: ComponentChildren;
  readonly hint?: string;
}) {
  return (
    <div>
      <dt title={hint}>{name}</dt>
      <dd class="number">{value}</dd>
    </div>
  );
}

function byName(a: GroupInfo, b: GroupInfo): number {
  return a.group < b.group ? -1 : a.group > b.group ? 1 : a.topic < b.topic ? -1 : 1;
}
