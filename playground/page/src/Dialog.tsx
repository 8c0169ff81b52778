import { useEffect, useId, useRef, type ReactNode } from "react";

interface Props {
  title: string;
  className?: string;
  onClose: () => void;
  children: ReactNode;
}

/** What has the focus first: what asks for it, a field, or else what can be scrolled. */
const FIRST = ["[data-focus]", "input, select, textarea", ".dialog-body"];

/** The browser's own modal dialog: it holds the focus, and the rest of the page is inert. */
export function Dialog({ title, className, onClose, children }: Props) {
  const shown = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = shown.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    FIRST.map((one) => dialog?.querySelector<HTMLElement>(one)).find(Boolean)?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={shown}
      className={className}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header>
        <h2 id={heading}>{title}</h2>
        <button type="button" className="quiet" aria-label="Close" onClick={onClose}>
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}
