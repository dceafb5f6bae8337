import type { RunnelError } from "../../client/mod.ts";
import type { Api } from "../api.ts";
import { useStore } from "../store.ts";
import { TopicsPanel } from "../topics/topics_panel.tsx";
import type { TopicsModel } from "../topics/topics_model.ts";
import { Notice } from "../ui/notice.tsx";
import { useTicks } from "../ui/ticks.ts";
import { Charts } from "./charts.tsx";
import type { StatsFeed } from "./stats_feed.ts";

/** What {@link OverviewPage} takes. */
export interface OverviewPageProps {
  readonly api: Api;
  readonly feed: StatsFeed;
  readonly topics: TopicsModel;
}

/** The first screen: what goes on now, and the topics. */
export function OverviewPage({ api, feed, topics }: OverviewPageProps) {
  useTicks(2_000);
  const total = feed.history.at(feed.history.newest)?.topics;
  return (
    <>
      <h1 class="hidden-text">Overview</h1>
      <Now api={api} feed={feed} />
      <TopicsPanel api={api} model={topics} total={total} />
    </>
  );
}

/** The charts, or why there are none. What was told stays to be seen while the stream is broken. */
function Now({ api, feed }: Pick<OverviewPageProps, "api" | "feed">) {
  const state = useStore(feed.state);
  if (state.kind === "refused") return <NoCharts why={reasonOf(state.error)} />;
  const isKnown = feed.history.newest > 0;
  if (state.kind === "live" || isKnown) return <Charts feed={feed} api={api} />;
  return state.kind === "connecting"
    ? <div class="charts waiting">Waiting for the first numbers …</div>
    : <NoCharts why="this server tells nothing on $stats." />;
}

function NoCharts({ why }: { readonly why: string }) {
  return <Notice>There are no live charts: {why}</Notice>;
}

function reasonOf({ status, message }: RunnelError): string {
  return status === 403
    ? "they need the right to manage, or to subscribe to $stats."
    : `${message}.`;
}
