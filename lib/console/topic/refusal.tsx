import { Notice } from "../ui/notice.tsx";
import { Button } from "../ui/button.tsx";
import type { StreamFault } from "./tail_words.ts";

/** What {@link Refusal} takes. */
export interface RefusalProps {
  readonly fault: Pick<StreamFault, "status" | "code" | "text">;
  /** What could not be done, as in `to read this topic`. */
  readonly what: string;
  /** The right that it takes. */
  readonly right: "publish" | "subscribe" | "consume" | "manage";
  /** The topic that the right would be for. @default not said */
  readonly topic?: string;
  readonly onRetry?: () => void;
}

/** Why something cannot be had or done; where a right is missing, which. */
export function Refusal({ fault, what, right, topic, onRetry }: RefusalProps) {
  const { status } = fault;
  if (status === 403) {
    return (
      <Notice tone="warn">
        Your credential gives no right {what}. It takes the right <code>{right}</code>
        {topic !== undefined && right !== "manage" && (
          <>
            {" "}for <code>{topic}</code>
          </>
        )}
        .
      </Notice>
    );
  }
  const action = onRetry === undefined ? {} : {
    action: <Button size="small" onClick={onRetry}>Try again</Button>,
  };
  return (
    <Notice tone={status === 503 || status === 0 ? "warn" : "bad"} {...action}>
      {fault.text}
    </Notice>
  );
}
