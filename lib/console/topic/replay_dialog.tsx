import { useState } from "preact/hooks";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field } from "../ui/field.tsx";

/** What {@link ReplayDialog} takes. */
export interface ReplayDialogProps {
  /** Where the tail starts now. */
  readonly since: string;
  /** Why it cannot start there. */
  readonly error: string | undefined;
  readonly onReplay: (since: string) => void;
  readonly onClose: () => void;
}

const PLACES = [
  ["earliest", "The beginning"],
  ["last:100", "Last 100"],
  ["last:1000", "Last 1,000"],
  ["10m", "10 minutes ago"],
  ["1h", "An hour ago"],
  ["1d", "A day ago"],
  ["latest", "Now on"],
] as const;

/** Asks where a tail is to start. */
export function ReplayDialog({ since, error, onReplay, onClose }: ReplayDialogProps) {
  const [time, setTime] = useState("");
  const [place, setPlace] = useState(error === undefined ? "" : since);
  const chosen = place.trim() === "" ? timeOf(time) : place.trim();
  return (
    <Dialog title="Replay from" onClose={onClose}>
      <div class="tp-often" role="group" aria-label="Often wanted">
        {PLACES.map(([value, label]) => (
          <Button
            key={value}
            aria-pressed={value === since}
            onClick={() => onReplay(value)}
          >
            {label}
          </Button>
        ))}
      </div>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (chosen !== undefined) onReplay(chosen);
        }}
      >
        <Field label="A time" hint="In this browser's time zone">
          {(control) => (
            <input
              {...control}
              type="datetime-local"
              step="1"
              value={time}
              onInput={(event) => setTime(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field
          label="Or a message id, or a time span"
          hint="What comes after this message; or 90s, 10m, 2h, 7d ago; or an ISO time"
          error={error}
        >
          {(control) => (
            <input
              {...control}
              autocomplete="off"
              spellcheck={false}
              value={place}
              onInput={(event) => setPlace(event.currentTarget.value)}
            />
          )}
        </Field>
        <div class="tp-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={chosen === undefined}>Replay</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** The server is told the moment, not this browser's time of day. */
function timeOf(local: string): string | undefined {
  const ms = local === "" ? NaN : Date.parse(local);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}
