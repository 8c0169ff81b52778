import { Fragment, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { Blocks } from "./blocks/Blocks";
import { Text } from "./blocks/Drawn";
import { unescaped } from "./blocks/mrkdwn";
import { SurfaceContext, type Surface } from "./blocks/surface";
import { dayOf, timeOf } from "./dates";
import type { Json, Message, Place, SlackState } from "./types";
import { replies } from "./unread";

interface Props {
  slack: SlackState;
  channel: Place;
  messages: Message[];
  isRead?: (channel: Place, root: Message) => boolean;
  act: (body: Json) => Promise<string | null>;
  onThread?: (ts: string) => void;
  /** How often the person has sent something: what comes of it is scrolled to. */
  sent: number;
}

const NEAR_PX = 80;

export function MessageList({ slack, channel, messages, isRead, act, onThread, sent }: Props) {
  const list = useRef<HTMLOListElement>(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    isAtEnd.current = true;
  }, [sent]);
  useLayoutEffect(() => {
    if (list.current && isAtEnd.current) list.current.scrollTop = list.current.scrollHeight;
  });
  const scrolled = () => {
    const { scrollHeight, scrollTop, clientHeight } = list.current!;
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_PX;
  };
  return (
    <>
      <ol className="messages" ref={list} onScroll={scrolled} aria-label="Messages" tabIndex={0}>
        {messages.length === 0 && <li className="nothing">Nothing here yet.</li>}
        {messages.map((message, number) => {
          const day = dayOf(message.ts);
          const before = messages[number - 1];
          return (
            <Fragment key={message.ts}>
              {(!before || dayOf(before.ts) !== day) && <li className="day">{day[0]!.toUpperCase() + day.slice(1)}</li>}
              <Shown slack={slack} channel={channel} message={message} isRead={isRead} act={act} onThread={onThread} />
            </Fragment>
          );
        })}
      </ol>
      <Announced slack={slack} messages={messages} />
    </>
  );
}

function Shown({ slack, channel, message, isRead, act, onThread }: Omit<Props, "messages" | "sent"> & { message: Message }) {
  const [values, setValues] = useState<Record<string, unknown>>({});
  const author = slack.users.find((user) => user.id === message.user)?.name ?? message.user;
  const isApp = message.user === slack.app.id;
  const answers = replies(channel, message);
  const surface = useMemo<Surface>(
    () => ({
      press: async (actionId, value) => {
        await act({ act: "press", channel: channel.id, ts: message.ts, action_id: actionId, value: value ?? null });
      },
      pick: async (actionId, value) => {
        await act({ act: "pick", channel: channel.id, ts: message.ts, action_id: actionId, value });
      },
      values,
      fill: (id, value) => setValues((before) => ({ ...before, [id]: value })),
      errors: {},
      users: slack.users,
      channels: slack.channels,
    }),
    [act, channel.id, message.ts, values, slack.users, slack.channels],
  );
  return (
    <li className={message.is_ephemeral ? "message ephemeral" : "message"} data-ts={message.ts}>
      <article aria-label={`${author} at ${timeOf(message.ts)}`}>
        <span className={isApp ? "avatar app" : "avatar"} aria-hidden="true">
          {author[0]!.toUpperCase()}
        </span>
        <div className="content">
          <p className="byline">
            <strong>{author}</strong>
            {isApp && <span className="tag">APP</span>}
            <time dateTime={new Date(Number(message.ts) * 1000).toISOString()}>{timeOf(message.ts)}</time>
            {message.is_ephemeral && <em>👁 Only visible to you</em>}
          </p>
          <SurfaceContext value={surface}>
            {message.blocks?.length ? (
              <Blocks blocks={message.blocks} />
            ) : (
              <Text text={{ type: "mrkdwn", text: message.text }} />
            )}
          </SurfaceContext>
          {onThread && answers.length > 0 && (
            <button type="button" className="link" onClick={() => onThread(message.ts)}>
              {answers.length === 1 ? "1 reply" : `${answers.length} replies`}
              {isRead && !isRead(channel, message) && (
                <>
                  {" "}
                  <span className="new">new</span>
                </>
              )}
            </button>
          )}
        </div>
        {onThread && !message.is_ephemeral && (
          <button type="button" className="reply quiet" onClick={() => onThread(message.ts)}>
            Reply
          </button>
        )}
      </article>
    </li>
  );
}

/** Reads new messages out to those who do not see them appear. */
function Announced({ slack, messages }: { slack: SlackState; messages: Message[] }) {
  const last = messages.at(-1);
  const first = useRef(last?.ts);
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (!last || last.ts === first.current || last.user === slack.who.id) return;
    first.current = last.ts;
    const author = slack.users.find((user) => user.id === last.user)?.name ?? "somebody";
    setSaid(`${author}: ${unescaped(last.text)}`);
  }, [last, slack]);
  return (
    <div className="hidden" aria-live="polite" role="log">
      {said}
    </div>
  );
}
