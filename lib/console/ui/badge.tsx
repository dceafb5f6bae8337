import type { ComponentChildren } from "preact";
import { classes } from "./classes.ts";

/** How good or bad something is. */
export type Tone = "neutral" | "accent" | "ok" | "warn" | "bad";

/** A word or a number in a pill. */
export function Badge(
  { tone = "neutral", title, children }: {
    readonly tone?: Tone;
    readonly title?: string;
    readonly children: ComponentChildren;
  },
) {
  return <span class={classes("badge", tone)} title={title}>{children}</span>;
}
