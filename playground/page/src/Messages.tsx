import { useState } from "react";
import { Composer } from "./Composer";
import { MessageList } from "./MessageList";
import type { Json, Message, Place, Setting, SlackState } from "./types";
import { isReply } from "./unread";

interface Props {
  slack: SlackState;
  channel: Place;
  examples: Setting["examples"];
  isRead: (channel: Place, root: Message) => boolean;
  act: (body: Json) => Promise<string | null>;
  onThread: (ts: string) => void;
}

export function Messages({ slack, channel, examples, isRead, act, onThread }: Props) {
  const [sent, setSent] = useState(0);
  const send = (text: string) => {
    setSent((before) => before + 1);
    return text.startsWith("/")
      ? act({ act: "command", channel: channel.id, words: text })
      : act({ act: "say", channel: channel.id, text });
  };
  return (
    <>
      <MessageList
        slack={slack}
        channel={channel}
        messages={channel.messages.filter((message) => !isReply(message))}
        isRead={isRead}
        act={act}
        onThread={onThread}
        sent={sent}
      />
      <Composer
        name={channel.is_direct ? `Message to ${slack.app.name}` : `Message to #${channel.name}`}
        examples={examples}
        onSend={send}
      />
    </>
  );
}
