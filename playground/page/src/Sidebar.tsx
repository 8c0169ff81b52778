import { useRef } from "react";
import { useFocus } from "./focus";
import type { SlackState, Place } from "./types";
import type { Read } from "./unread";

interface Props {
  slack: SlackState;
  current: string;
  read: Read;
  /** Where it is narrow; where it is wide, it is always there. */
  isOpen: boolean;
  onOpen: (channelId: string) => void;
  onBecome: (userId: string) => void;
  onClose: () => void;
}

export function Sidebar({ slack, current, read, isOpen, onOpen, onBecome, onClose }: Props) {
  const channels = slack.channels.filter((channel) => !channel.is_direct);
  const direct = slack.channels.filter((channel) => channel.is_direct);
  const closing = useRef<HTMLButtonElement>(null);
  useFocus(isOpen, () => closing.current);
  return (
    <nav
      className="sidebar"
      aria-label="Workspace"
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <header>
        <div>
          <strong>{slack.team}</strong>
          <small>a stand-in for Slack</small>
        </div>
        <button ref={closing} type="button" className="quiet menu-button" aria-label="Close channels" onClick={onClose}>
          ✕
        </button>
      </header>
      <label className="who">
        <span>You are</span>
        <select value={slack.who.id} onChange={({ target }) => onBecome(target.value)}>
          {slack.people.map((person) => (
            <option key={person.id} value={person.id}>
              {person.name} · {person.about}
            </option>
          ))}
        </select>
      </label>
      <List title="Channels" places={channels} current={current} read={read} onOpen={onOpen} nameOf={channelName} />
      <List title="Apps" places={direct} current={current} read={read} onOpen={onOpen} nameOf={() => slack.app.name} />
    </nav>
  );
}

const channelName = (channel: Place) => `${channel.is_private ? "🔒" : "#"} ${channel.name}`;

interface ListProps {
  title: string;
  places: Place[];
  current: string;
  read: Read;
  onOpen: (channelId: string) => void;
  nameOf: (place: Place) => string;
}

function List({ title, places, current, read, onOpen, nameOf }: ListProps) {
  return (
    <section>
      <h2>{title}</h2>
      <ul>
        {places.map((place) => {
          const unread = read.unread(place);
          return (
            <li key={place.id}>
              <button
                type="button"
                aria-current={place.id === current ? "page" : undefined}
                className={unread > 0 && place.id !== current ? "unread" : ""}
                onClick={() => onOpen(place.id)}
              >
                <span>{nameOf(place)}</span>
                {unread > 0 && place.id !== current && (
                  <span className="badge">
                    {unread}
                    <span className="hidden"> unread</span>
                  </span>
                )}
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
