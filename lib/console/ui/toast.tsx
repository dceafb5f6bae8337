import { Store, useStore } from "../store.ts";
import { Button } from "./button.tsx";
import { Notice, type NoticeProps } from "./notice.tsx";

interface Toast {
  readonly number: number;
  readonly tone: NonNullable<NoticeProps["tone"]>;
  readonly text: string;
}

const SHOWN_MS = 6_000;
const toasts = new Store<readonly Toast[]>([]);
let last = 0;

/** Says something in the corner for some seconds: what was done, or could not be. What is bad stays until it is closed. */
export function toast(text: string, tone: Toast["tone"] = "ok"): void {
  const number = ++last;
  toasts.value = [...toasts.value, { number, tone, text }];
  if (tone !== "bad") setTimeout(() => close(number), SHOWN_MS);
}

function close(number: number): void {
  toasts.value = toasts.value.filter((one) => one.number !== number);
}

/** Where {@link toast} says it; the frame has it once. */
export function Toasts() {
  return (
    <div class="toasts">
      {useStore(toasts).map(({ number, tone, text }) => (
        <Notice
          key={number}
          tone={tone}
          action={
            <Button
              kind="quiet"
              size="small"
              onClick={() => close(number)}
              aria-label="Close"
            >
              ✕
            </Button>
          }
        >
          {text}
        </Notice>
      ))}
    </div>
  );
}
