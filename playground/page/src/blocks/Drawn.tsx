// What slack-blocks-to-jsx draws, with people, dates and emoji as we have them.

import { createContext, useContext, useMemo } from "react";
import { Message as Library, type Block, type MessageProps } from "slack-blocks-to-jsx";
import { formatDate } from "../dates";
import type { Json, Named } from "../types";
import { richText, unescaped } from "./mrkdwn";

export interface Known {
  users: Named[];
  channels: Named[];
  groups: Named[];
  theme: "light" | "dark";
}

export const KnownContext = createContext<Known>({ users: [], channels: [], groups: [], theme: "light" });

const nameOf = (known: Named[], id: string) => known.find((one) => one.id === id)?.name ?? id;

export function Drawn({ block }: { block: Json }) {
  const known = useContext(KnownContext);
  const hooks = useMemo<MessageProps["hooks"]>(
    () => ({
      user: ({ id }) => <span className="mention">@{nameOf(known.users, id)}</span>,
      channel: ({ id }) => <span className="mention">#{nameOf(known.channels, id)}</span>,
      usergroup: ({ id }) => <span className="mention">@{nameOf(known.groups, id)}</span>,
      date: ({ timestamp, format }) => (
        <time dateTime={new Date(Number(timestamp) * 1000).toISOString()}>{formatDate(Number(timestamp), format)}</time>
      ),
      emoji: (data, parse) => {
        const sign = parse(data);
        // What it does not know, such as a workspace's own emoji, it gives back as the bare name.
        if (sign === data.name) return <span>:{data.name}:</span>;
        return (
          <span role="img" aria-label={data.name.replaceAll("_", " ")} className="emoji">
            {sign}
          </span>
        );
      },
    }),
    [known],
  );
  const data = {
    users: known.users,
    channels: known.channels,
    user_groups: known.groups,
  };
  return (
    <Library withoutWrapper blocks={[block as Block]} name="" logo="" theme={known.theme} hooks={hooks} data={data} />
  );
}

/** A text object. */
export function Text({ text }: { text: Json }) {
  const block = useMemo(() => richText(text), [text]);
  return <Drawn block={block} />;
}

/** The words of a plain_text object, for labels and titles. */
export function label(text: Json | undefined): string {
  return unescaped((text?.text as string | undefined) ?? "");
}
