import { useEffect } from "react";
import { useRemembered } from "./remembered";
import type { Message, Place, SlackState } from "./types";

export interface Read {
  unread: (channel: Place) => number;
  isThreadRead: (channel: Place, root: Message) => boolean;
}

export const isReply = (message: Message) => message.thread_ts !== undefined && message.thread_ts !== message.ts;

export function replies(channel: Place, root: Message): Message[] {
  return channel.messages.filter((message) => isReply(message) && message.thread_ts === root.ts);
}

const newest = (messages: Message[]) => messages.at(-1)?.ts ?? "";

/** How far each person has read each channel and thread; what is open in a visible window counts as read. */
export function useRead(slack: SlackState | null, open: Place | null, thread: Message | null): Read {
  const [seen, setSeen] = useRemembered<Record<string, string>>("seen", {});
  const me = slack?.who.id ?? "";
  const key = (id: string) => `${me} ${id}`;
  const tops = (channel: Place) => channel.messages.filter((message) => !isReply(message));

  const openKey = open ? key(open.id) : null;
  const openTs = open ? newest(tops(open)) : "";
  const threadKey = open && thread ? key(`${open.id} ${thread.ts}`) : null;
  const threadTs = open && thread ? newest(replies(open, thread)) : "";
  useEffect(() => {
    const mark = () => {
      if (document.hidden || openKey === null) return;
      setSeen((before) => {
        const after = { ...before, [openKey]: openTs };
        if (threadKey !== null) after[threadKey] = threadTs;
        return after;
      });
    };
    mark();
    document.addEventListener("visibilitychange", mark);
    return () => document.removeEventListener("visibilitychange", mark);
  }, [openKey, openTs, threadKey, threadTs, setSeen]);

  return {
    unread: (channel) =>
      tops(channel).filter((message) => message.user !== me && message.ts > (seen[key(channel.id)] ?? "")).length,
    isThreadRead: (channel, root) =>
      newest(replies(channel, root)) <= (seen[key(`${channel.id} ${root.ts}`)] ?? ""),
  };
}
