import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Api } from "../api.ts";
import type { TopicTab } from "../place.ts";
import { Badge } from "../ui/badge.tsx";
import { formatNumber } from "../ui/format.ts";
import { Notice } from "../ui/notice.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { DeadTab } from "./dead_tab.tsx";
import { GroupsTab } from "./groups_tab.tsx";
import { HistoryTab } from "./history_tab.tsx";
import { LiveTab } from "./live_tab.tsx";
import { MessageView } from "./message_view.tsx";
import { EMPTY_DRAFT, type PublishDraft } from "./publish_draft.ts";
import { PublishForm } from "./publish_form.tsx";
import { draftOf } from "./republish.ts";
import type { RawMessage } from "./raw_message.ts";
import { Refusal } from "./refusal.tsx";
import { SettingsTab } from "./settings_tab.tsx";
import { faultOf } from "./tail_words.ts";
import { TopicHead } from "./topic_head.tsx";
import { isSystemTopic } from "./topic_info.ts";
import { useServerTime } from "./use_server_time.ts";
import { useTail } from "./use_tail.ts";
import { type TopicView, useTopicInfo } from "./use_topic_info.ts";

/** What {@link TopicPage} takes. */
export interface TopicPageProps {
  readonly topic: string;
  /** The tab that is open; a system topic's first one where it has no such tab. */
  readonly tab: TopicTab;
  readonly onTab: (tab: TopicTab) => void;
  readonly api: Api;
}

/** One topic: its messages as they come, its history, its settings and its groups. */
export function TopicPage({ topic, tab, onTab, api }: TopicPageProps) {
  const [view, look] = useTopicInfo(api, topic);
  const tail = useTail(api, topic);
  const now = useServerTime(api.clock);
  const [chosen, setChosen] = useState<RawMessage>();
  const [draft, setDraft] = useState<PublishDraft>(EMPTY_DRAFT);
  const area = useRef<HTMLTextAreaElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const body = useRef<HTMLDivElement>(null);

  const isSystem = isSystemTopic(topic);
  const tabs = tabsFor(view, isSystem);
  const part = tabs.find(({ key }) => key === tab)?.key ?? "live";
  // what was chosen is not of the tab that the address names now
  useLayoutEffect(() => setChosen(undefined), [part]);
  const groups = view.info?.groups ?? [];
  const choose = (message: RawMessage) => setChosen(message);
  const enter = () => heading.current?.focus();
  const close = () => {
    setChosen(undefined);
    body.current?.querySelector<HTMLElement>("[role=listbox]")?.focus();
  };
  const edit = (message: RawMessage) => {
    setDraft(draftOf(message));
    setChosen(undefined);
    if (part === "dead") onTab("live");
    // it is there after this rendering
    setTimeout(() => area.current?.focus());
  };
  const picking = { chosen, onChoose: choose, onEnter: enter };
  const hasSide = part === "live" || part === "history" || part === "dead";
  const hasForm = (part === "live" || part === "history") && !isSystem;
  return (
    <div class="tp">
      <TopicHead topic={topic} view={view} now={now} />
      <Existence topic={topic} view={view} />
      <Tabs
        label={`Parts of ${topic}`}
        tabs={tabs}
        chosen={part}
        onChoose={onTab}
      >
        <div class={hasSide && (hasForm || chosen !== undefined) ? "tp-body with-side" : "tp-body"}>
          <div class="tp-main" ref={body}>
            {part === "live" && (
              <LiveTab
                api={api}
                tail={tail}
                topic={topic}
                isAway={view.error !== undefined && view.error.status >= 500}
                {...picking}
              />
            )}
            {part === "history" && <HistoryTab api={api} topic={topic} {...picking} />}
            {part === "groups" && (
              <GroupsTab
                api={api}
                topic={topic}
                groups={groups}
                onChange={look}
                onDead={() => onTab("dead")}
              />
            )}
            {part === "dead" && (
              <DeadTab
                api={api}
                topic={topic}
                groups={groups}
                chosen={chosen}
                onChoose={(message) => {
                  setChosen(message);
                  setTimeout(enter);
                }}
                onChange={look}
              />
            )}
            {part === "settings" && (
              <SettingsTab api={api} topic={topic} info={view.info} onChange={look} />
            )}
          </div>
          {hasSide && chosen !== undefined && (
            <div class="tp-side over">
              <MessageView
                message={chosen}
                api={api}
                now={now}
                onClose={close}
                onEdit={isSystem ? undefined : edit}
                heading={heading}
              />
            </div>
          )}
          {hasForm && (
            <div class="tp-side" hidden={chosen !== undefined}>
              <section class="card" aria-label="Publish">
                <header class="tp-side-head">
                  <h2>Publish</h2>
                </header>
                <div class="tp-side-body">
                  <PublishForm
                    api={api}
                    topic={topic}
                    draft={draft}
                    onDraft={setDraft}
                    onPublished={look}
                    area={area}
                  />
                </div>
              </section>
            </div>
          )}
        </div>
      </Tabs>
    </div>
  );
}

function tabsFor({ info }: TopicView, isSystem: boolean) {
  const groups = info?.groups ?? [];
  const dead = groups.reduce((sum, group) => sum + group.dead, 0);
  const count = (label: string, number: number, tone: "neutral" | "bad") => (
    <>
      {label} {number > 0 && <Badge tone={tone}>{formatNumber(number)}</Badge>}
    </>
  );
  return [
    { key: "live", label: "Live" },
    { key: "history", label: "History" },
    ...(isSystem ? [] : [
      { key: "groups", label: count("Groups", groups.length, "neutral") },
      { key: "dead", label: count("Dead letters", dead, "bad") },
    ] as const),
    { key: "settings", label: "Settings" },
  ] as const;
}

/** What is to be known of whether the topic is there, and can be described. */
function Existence({ topic, view }: { readonly topic: string; readonly view: TopicView }) {
  const { existence, error } = view;
  if (existence === "deleted") {
    return (
      <Notice tone="warn">
        This topic was deleted while you looked. What is shown below is what this page still has.
      </Notice>
    );
  }
  if (existence === "new") {
    return (
      <Notice>
        This topic does not exist yet. The first message that is published makes it.
      </Notice>
    );
  }
  // that nothing answers is said above every page
  if (error === undefined || error.status === 0 || error.status >= 500) return null;
  return (
    <Refusal fault={faultOf(error)} what="to know of this topic" right="subscribe" topic={topic} />
  );
}
