import type { Place } from "../place.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { keysOf } from "./keys_of.ts";

/** What {@link KeysDialog} takes. */
export interface KeysDialogProps {
  /** The page that is open; undefined where that asks for a credential. */
  readonly place: Place | undefined;
  readonly onClose: () => void;
}

/** Shows which keys do what on the page that is open. */
export function KeysDialog({ place, onClose }: KeysDialogProps) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="keys">
        {keysOf(place).map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div class="row">
        <Button onClick={onClose} autofocus>Close</Button>
      </div>
    </Dialog>
  );
}
