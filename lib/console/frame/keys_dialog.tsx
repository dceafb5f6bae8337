import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";

const KEYS = [
  ["/", "Search topics, or filter messages"],
  ["j", "Next topic"],
  ["k", "Topic before"],
  ["Enter", "Open it"],
  ["p", "Pause a tail, or go on"],
  ["g", "Overview"],
  ["t", "Colours"],
  ["?", "These keys"],
] as const;

/** Shows which keys do what. */
export function KeysDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([key, what]) => (
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
