import { useEffect, useState } from "preact/hooks";
import { Button } from "../ui/button.tsx";
import { toast } from "../ui/toast.tsx";
import { copyText } from "./copy_text.ts";

const DONE_MS = 1_500;

/** A button that puts a text into the clipboard, and says that it did. */
export function CopyButton({ label, text }: {
  readonly label: string;
  /** Made when it is wanted: it may be long. */
  readonly text: () => string;
}) {
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    if (!isDone) return;
    const timer = setTimeout(() => setDone(false), DONE_MS);
    return () => clearTimeout(timer);
  }, [isDone]);
  const copy = async () => {
    if (await copyText(text())) setDone(true);
    else toast("The browser does not let this page copy", "bad");
  };
  return (
    <Button size="small" onClick={() => void copy()}>
      <span aria-live="polite">{isDone ? "Copied ✓" : label}</span>
    </Button>
  );
}
