import { useEffect, useReducer, useRef } from "preact/hooks";
import type { Api } from "../api.ts";
import { FramePace } from "./frame_pace.ts";
import { Tail } from "./tail.ts";

/** Where a tail starts when nobody said otherwise: so that a page is not empty that could show something. */
export const SINCE = "last:100";

/** How long filtering may take in one frame, in milliseconds. */
const FILTER_MS = 6;

/** A topic's tail for as long as a component is there, which renders as it changes, once a frame at the most. */
export function useTail(api: Api, topic: string): Tail {
  const [, render] = useReducer((count: number) => count + 1, 0);
  const kept = useRef<{ readonly tail: Tail; readonly pace: FramePace } | undefined>(undefined);
  if (kept.current === undefined) {
    const pace = new FramePace(() => {
      if (!tail.shown.advance(FILTER_MS)) pace.ask();
      render(0);
    });
    const tail = new Tail({ api, topic, changed: () => pace.ask() });
    kept.current = { tail, pace };
  }
  const { tail, pace } = kept.current;
  useEffect(() => {
    tail.start(SINCE);
    return () => {
      tail.stop();
      pace.end();
    };
  }, []);
  return tail;
}
