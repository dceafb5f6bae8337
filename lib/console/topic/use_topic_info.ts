import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { type Api, ApiError } from "../api.ts";
import { type TopicInfo, topicPath } from "./topic_info.ts";

/** What is known of a topic now. */
export interface TopicView {
  /** What was told last; undefined before that. */
  readonly info?: TopicInfo;
  /** Whether it is there: `new` where it never was, `deleted` where it was while this page looked. */
  readonly existence: "unknown" | "there" | "new" | "deleted";
  /** Messages a second, over the last two looks. */
  readonly rate: number;
  /** Why it cannot be told now. */
  readonly error?: ApiError;
}

/** Between two looks. */
const EVERY_MS = 2_000;
/** Where it is forbidden: each refusal is a line in the server's log. */
const EVERY_MS_WHEN_FORBIDDEN = 30_000;
const PATIENCE_MS = 8_000;
const SILENT = "The server does not answer";

/** Looks at a topic again and again, while the page is seen; with what looks at once. */
export function useTopicInfo(api: Api, topic: string): [TopicView, () => void] {
  const [view, setView] = useState<TopicView>({ existence: "unknown", rate: 0 });
  const last = useRef<{ readonly count: number; readonly at: number } | undefined>(undefined);
  const look = useCallback(async (stop?: AbortSignal): Promise<number> => {
    // over a link that is half open there is never an answer
    const patience = AbortSignal.timeout(PATIENCE_MS);
    const signal = stop === undefined ? patience : AbortSignal.any([patience, stop]);
    try {
      const info = await api.call<TopicInfo>("GET", topicPath(topic), { signal });
      const at = performance.now();
      const before = last.current;
      last.current = { count: info.count, at };
      const rate = before === undefined
        ? 0
        : Math.max(info.count - before.count, 0) / (at - before.at) * 1_000;
      setView({ info, existence: "there", rate });
      return EVERY_MS;
    } catch (error) {
      if (stop?.aborted === true) return EVERY_MS;
      const known = error instanceof ApiError ? error : new ApiError(0, "unreachable", SILENT);
      setView((view) => after(view, known));
      return known.status === 403 ? EVERY_MS_WHEN_FORBIDDEN : EVERY_MS;
    }
  }, [api, topic]);
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isLooking = false;
    const go = async () => {
      if (isLooking || document.hidden) return;
      isLooking = true;
      clearTimeout(timer);
      const pause = await look(stop.signal);
      isLooking = false;
      if (!stop.signal.aborted) timer = setTimeout(go, pause);
    };
    void go();
    document.addEventListener("visibilitychange", go);
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", go);
    };
  }, [look]);
  return [view, useCallback(() => void look(), [look])];
}

function after(known: TopicView, error: ApiError): TopicView {
  if (error.status !== 404) return { ...known, rate: 0, error };
  const was = known.existence === "there" || known.existence === "deleted";
  return { existence: was ? "deleted" : "new", rate: 0 };
}
