import type { ComponentChildren } from "preact";
import { formatAge, formatBytes, formatNumber, formatRate, formatShort } from "../ui/format.ts";
import { timeOfId } from "../ui/format.ts";
import type { TopicView } from "./use_topic_info.ts";

/** What {@link TopicHead} takes. */
export interface TopicHeadProps {
  readonly topic: string;
  readonly view: TopicView;
  /** The server's time in milliseconds since 1970. */
  readonly now: number;
}

/** A topic's name, and how it is with it in figures. */
export function TopicHead({ topic, view, now }: TopicHeadProps) {
  const { info, rate } = view;
  const lastAt = info?.lastId ? timeOfId(info.lastId) : undefined;
  return (
    <header class="tp-head">
      <div class="tp-title">
        <a href="#/" class="small">Topics</a>
        <h1>{topic}</h1>
      </div>
      <dl class="tp-figures card">
        <Figure name="Messages" title={info && `${formatNumber(info.count)} were ever published`}>
          {info && formatNumber(info.messages)}
        </Figure>
        <Figure name="Rate">{info && formatRate(rate)}</Figure>
        <Figure name="Memory" title="Memory in Redis">{info && formatBytes(info.bytes)}</Figure>
        <Figure name="Last message">
          {info && (lastAt === undefined ? "never" : formatAge(now - lastAt))}
        </Figure>
        <Figure name="Subscribers" title="Open streams, this page's own among them">
          {info && formatShort(info.subscribers)}
        </Figure>
      </dl>
    </header>
  );
}

function Figure({ name, title, children }: {
  readonly name: string;
  readonly title?: string | undefined;
  readonly children: ComponentChildren;
}) {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd class="number">{children ?? "–"}</dd>
    </div>
  );
}
