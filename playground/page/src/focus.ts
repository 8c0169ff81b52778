import { useEffect } from "react";

/** Once somebody opens something, what `find` finds in it takes the focus, and gives it back when it is closed. */
export function useFocus(isOpen: boolean, find: () => HTMLElement | null | undefined) {
  useEffect(() => {
    const opener = document.activeElement;
    if (!isOpen || !(opener instanceof HTMLElement) || opener === document.body) return;
    find()?.focus();
    return () => {
      const now = document.activeElement;
      if (now === document.body || !now?.checkVisibility()) opener.focus();
    };
  }, [isOpen]);
}
