import { useEffect, useState } from "react";
import type { Entry, Json, Setting, SlackState, TgcState } from "./types";

const AWAY = "The playground does not answer: is it still running?";

/** What went wrong, in a sentence; null where nothing did. */
async function post(address: string, body: Json): Promise<string | null> {
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) return await response.text();
    return ((await response.json()) as { trouble: string | null }).trouble;
  } catch {
    return AWAY;
  }
}

export const act = (body: Json) => post("/api/acts", body);
export const control = (body: Json) => post("/api/controls", body);

export async function fetchExchange(id: string): Promise<Json | string> {
  try {
    const response = await fetch(`/api/traffic/${encodeURIComponent(id)}`);
    return response.ok ? ((await response.json()) as Json) : await response.text();
  } catch {
    return AWAY;
  }
}

export interface World {
  slack: SlackState | null;
  tgc: TgcState | null;
  traffic: Entry[];
  isLive: boolean;
}

const NOTHING: World = { slack: null, tgc: null, traffic: [], isLive: false };

/** The state as this person sees it, as long as the server is there; the last one known while it is not. */
export function useWorld(who: string | null): World {
  const [world, setWorld] = useState(NOTHING);
  useEffect(() => {
    if (who === null) return;
    let source: EventSource;
    let again: ReturnType<typeof setTimeout>;
    const listen = () => {
      source = new EventSource(`/api/events?who=${encodeURIComponent(who)}`);
      for (const part of ["slack", "tgc", "traffic"] as const) {
        source.addEventListener(part, (event) => {
          const value = JSON.parse((event as MessageEvent<string>).data) as never;
          setWorld((before) => ({ ...before, [part]: value, isLive: true }));
        });
      }
      source.onerror = () => {
        setWorld((before) => ({ ...before, isLive: false }));
        // A browser gives up on some errors: begin anew.
        source.close();
        again = setTimeout(listen, 1000);
      };
    };
    listen();
    return () => {
      source.close();
      clearTimeout(again);
    };
  }, [who]);
  return world;
}

/** What the server says of itself, asked until it is there. */
export function useSetting(): Setting | null {
  const [setting, setSetting] = useState<Setting | null>(null);
  useEffect(() => {
    let again: ReturnType<typeof setTimeout>;
    const ask = async () => {
      try {
        const response = await fetch("/api/setting");
        setSetting((await response.json()) as Setting);
      } catch {
        again = setTimeout(ask, 1000);
      }
    };
    void ask();
    return () => clearTimeout(again);
  }, []);
  return setting;
}
