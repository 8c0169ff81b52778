import { useId, useState, type KeyboardEvent } from "react";
import type { Setting } from "./types";

interface Props {
  name: string;
  examples: Setting["examples"];
  onSend: (text: string) => Promise<string | null>;
}

export function Composer({ name, examples, onSend }: Props) {
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(-1);
  const [isClosed, setClosed] = useState(false);
  const list = useId();
  const fitting =
    text.startsWith("/") && !isClosed
      ? examples.filter(({ words }) => words.startsWith(text.toLowerCase()) && words !== text)
      : [];

  const write = (value: string) => {
    setText(value);
    setChosen(-1);
    setClosed(false);
  };
  const send = async () => {
    const said = text.trim();
    if (!said) return;
    write("");
    if ((await onSend(said)) !== null) setText((now) => now || said);
  };
  const typed = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (fitting.length > 0 && step) {
      setChosen((chosen + step + fitting.length) % fitting.length);
    } else if (fitting.length > 0 && (event.key === "Tab" || (event.key === "Enter" && chosen >= 0))) {
      write(fitting[Math.max(chosen, 0)]!.words);
    } else if (event.key === "Escape" && fitting.length > 0) {
      setClosed(true);
    } else if (event.key === "Enter" && !event.shiftKey) {
      void send();
    } else {
      return;
    }
    event.preventDefault();
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {fitting.length > 0 && (
        <ul role="listbox" id={list} className="completion" aria-label="Commands">
          {fitting.map(({ words, meaning }, number) => (
            <li
              key={words}
              id={`${list}-${number}`}
              role="option"
              aria-selected={number === chosen}
              onPointerDown={(event) => {
                event.preventDefault();
                write(words);
              }}
            >
              <code>{words}</code> <span>{meaning}</span>
            </li>
          ))}
        </ul>
      )}
      <textarea
        rows={1}
        value={text}
        placeholder={examples.length > 0 ? `${name}, or type /` : name}
        aria-label={name}
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={fitting.length > 0}
        aria-controls={fitting.length > 0 ? list : undefined}
        aria-activedescendant={chosen >= 0 ? `${list}-${chosen}` : undefined}
        onChange={({ target }) => write(target.value)}
        onKeyDown={typed}
      />
      <button type="submit" className="primary" disabled={!text.trim()}>
        Send
      </button>
    </form>
  );
}
