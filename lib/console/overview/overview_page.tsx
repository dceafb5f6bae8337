import type { Api } from "../api.ts";
import { useStore } from "../store.ts";
import { TopicsPanel } from "../topics/topics_panel.tsx";
import type { TopicsModel } from "../topics/topics_model.ts";
import { Notice } from "../ui/notice.tsx";
import { useTicks } from "../ui/ticks.ts";
import { Charts } from "./charts.tsx";
import type { FeedState, StatsFeed } from "./stats_feed.ts";

/** What {@link OverviewPage} takes. */
export interface OverviewPageProps {
  readonly api: Api;
  readonly feed: StatsFeed;
  readonly topics: TopicsModel;
}

/** The first screen: what goes on now, and the topics. */
export function OverviewPage({ api, feed, topics }: OverviewPageProps) {
  useTicks(2_000);
  const state = useStore(feed.state);
  const total = feed.history.at(feed.history.newest)?.topics;
  return (
    <>
      <h1 class="hidden-text">Overview</h1>
      {hasCharts(state, feed)
        ? <Charts feed={feed} api={api} />
        : state.kind === "connecting"
        ? <div class="charts" />
        : <NoCharts state={state} />}
      <TopicsPanel api={api} model={topics} total={total} />
    </>
  );
}

/** What was told stays to be seen while the stream is broken. */
function hasCharts(state: FeedState, { history }: StatsFeed): boolean {
  return state.kind === "live" || state.kind !== "refused" && history.newest > 0;
}

function NoCharts({ state }: { readonly state: FeedState }) {
  if (state.kind !== "refused") {
    return <Notice>There are no live charts: this server tells nothing on $stats.</Notice>;
  }
  const isForbidden = state.error.status === 403;
  return (
    <Notice>
      There are no live charts: {isForbidden
        ? "they need the right to manage, or to subscribe to $stats."
        : `${state.error.message}.`}
    </Notice>
  );
}
