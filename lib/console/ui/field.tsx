import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** What ties a control to its label: to be spread over an `input`, a `select` or a `textarea`. */
export interface ControlProps {
  readonly id: string;
  readonly class: "input";
  readonly "aria-invalid"?: true;
  readonly "aria-describedby"?: string;
}

/** What {@link Field} takes. */
export interface FieldProps {
  readonly label: ComponentChildren;
  /** What may be put there. */
  readonly hint?: ComponentChildren;
  /** What is wrong with what was put there. */
  readonly error?: string | undefined;
  /** Makes the control, which takes what it is given. */
  readonly children: (control: ControlProps) => ComponentChildren;
}

/** A labelled control, with a hint and with what is wrong. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const hintId = hint === undefined ? undefined : `${id}-hint`;
  const errorId = error === undefined ? undefined : `${id}-error`;
  const described = [errorId, hintId].filter((one) => one !== undefined).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        class: "input",
        ...(error === undefined ? {} : { "aria-invalid": true }),
        ...(described === "" ? {} : { "aria-describedby": described }),
      })}
      {error !== undefined && <div id={errorId} class="wrong">{error}</div>}
      {hint !== undefined && <div id={hintId} class="hint">{hint}</div>}
    </div>
  );
}
