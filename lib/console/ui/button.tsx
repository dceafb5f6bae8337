import type { ButtonHTMLAttributes } from "preact";
import { classes } from "./classes.ts";

/** What {@link Button} takes: all of a button's attributes, and these. */
export type ButtonProps = Omit<ButtonHTMLAttributes, "size" | "icon"> & {
  /** How it looks: the one thing to do, one that loses something, or one in a row of many. @default "plain" */
  readonly kind?: "plain" | "primary" | "danger" | "quiet";
  readonly size?: "normal" | "small";
  /** Whether it shows a picture alone; it needs an `aria-label` then. */
  readonly square?: boolean;
};

/** A button; it submits a form only where `type="submit"` says so. */
export function Button(
  { kind = "plain", size = "normal", square = false, class: more, ...rest }: ButtonProps,
) {
  const look = classes(
    "button",
    kind !== "plain" && kind,
    size === "small" && "small",
    square && "square",
    typeof more === "string" && more,
  );
  return <button type="button" {...rest} class={look} />;
}
