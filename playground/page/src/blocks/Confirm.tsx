import { createContext, useCallback, useRef, useState, type ReactNode } from "react";
import type { Json } from "../types";
import { label, Text } from "./Drawn";
import { Dialog } from "../Dialog";

type Ask = (confirm: Json | undefined) => Promise<boolean>;

/** Asks with Slack's confirm dialog; without one the answer is yes. */
export const AskContext = createContext<Ask>(() => Promise.resolve(true));

export function Confirming({ children }: { children: ReactNode }) {
  const [asked, setAsked] = useState<Json | null>(null);
  const answer = useRef<(is: boolean) => void>(() => undefined);
  const ask = useCallback<Ask>((confirm) => {
    if (!confirm) return Promise.resolve(true);
    setAsked(confirm);
    return new Promise((resolve) => (answer.current = resolve));
  }, []);
  const say = (is: boolean) => {
    setAsked(null);
    answer.current(is);
  };
  return (
    <AskContext value={ask}>
      {children}
      {asked && (
        <Dialog className="confirm" title={label(asked.title)} onClose={() => say(false)}>
          <div className="dialog-body">
            <Text text={asked.text as Json} />
          </div>
          <footer>
            <button type="button" data-focus onClick={() => say(false)}>
              {label(asked.deny)}
            </button>
            <button type="button" className={asked.style === "danger" ? "danger" : "primary"} onClick={() => say(true)}>
              {label(asked.confirm)}
            </button>
          </footer>
        </Dialog>
      )}
    </AskContext>
  );
}
