import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Button } from "./button.tsx";

/** What {@link Dialog} takes. */
export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** A dialog over all else, for as long as it is rendered. Escape closes it; where the focus was it goes back to. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      class="dialog"
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div class="stack">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

/** What {@link ConfirmDialog} takes. */
export interface ConfirmDialogProps extends DialogProps {
  /** What the button says that does it. */
  readonly action: string;
  readonly onConfirm: () => void;
}

/** Asks before something is lost. */
export function ConfirmDialog(
  { title, action, onConfirm, onClose, children }: ConfirmDialogProps,
) {
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="muted">{children}</div>
      <div class="row">
        <Button onClick={onClose} autofocus>Cancel</Button>
        <Button kind="danger" onClick={onConfirm}>{action}</Button>
      </div>
    </Dialog>
  );
}
