import { useState } from "react";
import { Composer } from "./Composer";
import { Drawer } from "./Drawer";
import { MessageList } from "./MessageList";
import type { Json, Message, Place, SlackState } from "./types";
import { replies } from "./unread";

interface Props {
  slack: SlackState;
  channel: Place;
  root: Message;
  act: (body: Json) => Promise<string | null>;
  onClose: () => void;
}

export function Thread({ slack, channel, root, act, onClose }: Props) {
  const [sent, setSent] = useState(0);
  const send = (text: string) => {
    setSent((before) => before + 1);
    return act({ act: "say", channel: channel.id, text, thread_ts: root.ts });
  };
  return (
    <Drawer title="Thread" className="thread" onClose={onClose}>
      <MessageList slack={slack} channel={channel} messages={[root, ...replies(channel, root)]} act={act} sent={sent} />
      <Composer name="Reply in the thread" examples={[]} onSend={send} />
    </Drawer>
  );
}
