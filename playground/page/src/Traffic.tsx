import { useState } from "react";
import { fetchExchange } from "./api";
import { formatDate } from "./dates";
import { Drawer } from "./Drawer";
import type { Entry, Json } from "./types";

const NAMES: Record<string, string> = { app: "app", slack: "Slack", tgc: "TGC" };

const UUID = /\b([0-9A-F]{8})-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}\b/gi;
const brief = (what: string) => what.replace(UUID, "$1…").replace(" /api/v310/", " …/");

export function Traffic({ entries, onClose }: { entries: Entry[]; onClose: () => void }) {
  const [side, setSide] = useState("");
  const shown = entries.filter(({ sender, receiver }) => !side || side === sender || side === receiver).reverse();
  const sides = (
    <select aria-label="Whose calls" value={side} onChange={({ target }) => setSide(target.value)}>
      <option value="">all calls</option>
      <option value="slack">with Slack</option>
      <option value="tgc">with the TGC</option>
    </select>
  );
  return (
    <Drawer title="Traffic" className="traffic" more={sides} onClose={onClose}>
      <ol aria-label="Calls, newest first">
        {shown.map((entry) => (
          <li key={entry.id} className={entry.is_trouble ? "trouble" : ""}>
            <Call entry={entry} />
          </li>
        ))}
      </ol>
    </Drawer>
  );
}

function Call({ entry }: { entry: Entry }) {
  const [exchange, setExchange] = useState<Json | string | null>(null);
  return (
    <details
      onToggle={(event) => {
        if (event.currentTarget.open) void fetchExchange(entry.id).then(setExchange);
      }}
    >
      <summary>
        <span className="way">
          {NAMES[entry.sender]} → {NAMES[entry.receiver]}
        </span>
        <span className="outcome">{entry.outcome || "under way"}</span>
        <time>{formatDate(entry.at, "{time_secs}")}</time>
        <code title={entry.what}>{brief(entry.what)}</code>
        {entry.problems.map((problem) => (
          <span key={problem} className="problem">
            {problem}
          </span>
        ))}
      </summary>
      {typeof exchange === "string" && <p className="error">{exchange}</p>}
      {exchange !== null && typeof exchange === "object" && (
        <>
          <Payload name="Sent" value={exchange.sent} />
          <Payload name="Answered" value={exchange.answered} />
        </>
      )}
    </details>
  );
}

function Payload({ name, value }: { name: string; value: unknown }) {
  if (value === null || value === undefined) return null;
  return (
    <>
      <h3>{name}</h3>
      <pre tabIndex={0}>{typeof value === "string" ? value : JSON.stringify(value, null, 2)}</pre>
    </>
  );
}
