import { useRef, type ReactNode } from "react";
import { useFocus } from "./focus";

interface Props {
  title: string;
  className: string;
  /** In the heading's line. */
  more?: ReactNode;
  onClose: () => void;
  children: ReactNode;
}

/** Beside the messages, or over them where there is no room. */
export function Drawer({ title, className, more, onClose, children }: Props) {
  const shown = useRef<HTMLElement>(null);
  const first = (selector: string) => shown.current?.querySelector<HTMLElement>(selector);
  useFocus(true, () => first("textarea") ?? first(".close"));
  return (
    <aside
      ref={shown}
      className={`drawer ${className}`}
      aria-label={title}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !event.defaultPrevented) onClose();
      }}
    >
      <header>
        <h2>{title}</h2>
        {more}
        <button type="button" className="quiet close" aria-label={`Close ${title}`} onClick={onClose}>
          ✕
        </button>
      </header>
      {children}
    </aside>
  );
}
