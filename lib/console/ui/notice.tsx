import type { ComponentChildren } from "preact";
import { classes } from "./classes.ts";

/** What {@link Notice} takes. */
export interface NoticeProps {
  /** @default "info" */
  readonly tone?: "info" | "ok" | "warn" | "bad";
  /** What can be done about it. */
  readonly action?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** Something that whoever looks should know; what is bad is read out at once. */
export function Notice({ tone = "info", action, children }: NoticeProps) {
  return (
    <div class={classes("notice", tone)} role={tone === "bad" ? "alert" : "status"}>
      <div class="what">{children}</div>
      {action}
    </div>
  );
}
