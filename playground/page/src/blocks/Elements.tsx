// What people press, pick and fill in: slack-blocks-to-jsx draws these, but nothing happens there.

import { useContext, useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import type { Json } from "../types";
import { AskContext } from "./Confirm";
import { label, Text } from "./Drawn";
import { SurfaceContext } from "./surface";

interface Props {
  element: Json;
  /** Inside an input block, where nothing is sent before the submit. */
  isInput?: boolean;
  /** Of the label and the error around it. */
  labelledBy?: string;
  describedBy?: string;
}

export function Element(props: Props) {
  switch (props.element.type) {
    case "button":
    case "workflow_button":
      return <Button {...props} />;
    case "overflow":
      return <Overflow {...props} />;
    case "image":
      return <img className="bk-image" src={props.element.image_url as string} alt={props.element.alt_text as string} />;
    case "radio_buttons":
    case "checkboxes":
      return <Choices {...props} />;
    case "plain_text_input":
      return props.element.multiline ? <Multiline {...props} /> : <Field {...props} type="text" />;
    case "email_text_input":
      return <Field {...props} type="email" />;
    case "url_text_input":
      return <Field {...props} type="url" />;
    case "number_input":
      return <Field {...props} type="number" />;
    case "datepicker":
      return <Field {...props} type="date" />;
    case "timepicker":
      return <Field {...props} type="time" />;
    case "datetimepicker":
      return <Field {...props} type="datetime-local" />;
    default:
      return <Select {...props} />;
  }
}

function Button({ element }: Props) {
  const { press } = useContext(SurfaceContext);
  const ask = useContext(AskContext);
  const [isBusy, setBusy] = useState(false);
  const pressed = async () => {
    if (isBusy || !(await ask(element.confirm as Json | undefined))) return;
    if (element.url) window.open(element.url as string, "_blank", "noopener");
    setBusy(true);
    await press(element.action_id as string, element.value as string | undefined);
    setBusy(false);
  };
  return (
    <button
      type="button"
      className={`bk-button ${(element.style as string | undefined) ?? ""}`}
      aria-label={element.accessibility_label as string | undefined}
      aria-busy={isBusy}
      onClick={() => void pressed()}
    >
      {label(element.text as Json)}
    </button>
  );
}

function Overflow({ element }: Props) {
  const { press } = useContext(SurfaceContext);
  const ask = useContext(AskContext);
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const options = element.options as Json[];
  useEffect(() => {
    if (!isOpen) return;
    root.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const away = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [isOpen]);
  const close = () => {
    setOpen(false);
    root.current?.querySelector("button")?.focus();
  };
  const picked = async (option: Json) => {
    close();
    if (!(await ask(element.confirm as Json | undefined))) return;
    if (option.url) window.open(option.url as string, "_blank", "noopener");
    await press(element.action_id as string, option.value as string);
  };
  const typed = (event: KeyboardEvent) => {
    const items = [...(root.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") {
      close();
      event.preventDefault();
    } else if (event.key === "Tab") setOpen(false);
    else if (step) {
      const now = items.indexOf(document.activeElement as HTMLElement);
      items[(now + step + items.length) % items.length]?.focus();
      event.preventDefault();
    }
  };
  return (
    <div className="overflow" ref={root}>
      <button
        type="button"
        className="bk-button"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-label="More actions"
        onClick={() => setOpen(!isOpen)}
      >
        ⋯
      </button>
      {isOpen && (
        <div role="menu" className="menu" onKeyDown={typed}>
          {options.map((option) => (
            <button key={option.value as string} type="button" role="menuitem" tabIndex={-1} onClick={() => void picked(option)}>
              {label(option.text as Json)}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/** A field's value, what changes it, and what is sent at once where it stands outside an input block. */
function useValue<T>(element: Json, isInput: boolean | undefined, initial: T): [T, (value: T) => void] {
  const { values, fill, pick } = useContext(SurfaceContext);
  const ask = useContext(AskContext);
  const id = element.action_id as string;
  const change = async (value: T) => {
    if (!isInput && !(await ask(element.confirm as Json | undefined))) return;
    fill(id, value);
    if (!isInput) await pick(id, value);
  };
  return [(values[id] as T | undefined) ?? initial, (value) => void change(value)];
}

const INITIAL: Record<string, string> = { date: "initial_date", time: "initial_time" };

function Field({ element, isInput, type, labelledBy, describedBy }: Props & { type: string }) {
  const isMoment = type === "datetime-local";
  const key = INITIAL[type] ?? "initial_value";
  const [value, change] = useValue<string | number>(
    element,
    isInput,
    isMoment ? ((element.initial_date_time as number | undefined) ?? "") : ((element[key] as string | undefined) ?? ""),
  );
  return (
    <input
      type={type}
      value={isMoment ? asLocal(value) : value}
      step={type === "number" && element.is_decimal_allowed ? "any" : undefined}
      min={element.min_value as string | undefined}
      max={element.max_value as string | undefined}
      minLength={element.min_length as number | undefined}
      maxLength={element.max_length as number | undefined}
      placeholder={label(element.placeholder as Json | undefined)}
      data-focus={element.focus_on_load === true || undefined}
      aria-labelledby={labelledBy}
      aria-describedby={describedBy}
      aria-label={labelledBy ? undefined : label(element.placeholder as Json | undefined) || "Value"}
      onChange={({ target }) => change(isMoment ? Math.round(new Date(target.value).getTime() / 1000) : target.value)}
    />
  );
}

function asLocal(seconds: string | number): string {
  if (typeof seconds !== "number" || Number.isNaN(seconds)) return "";
  const moment = new Date(seconds * 1000);
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function Multiline({ element, isInput, labelledBy, describedBy }: Props) {
  const [value, change] = useValue(element, isInput, (element.initial_value as string | undefined) ?? "");
  return (
    <textarea
      rows={4}
      value={value}
      maxLength={element.max_length as number | undefined}
      placeholder={label(element.placeholder as Json | undefined)}
      data-focus={element.focus_on_load === true || undefined}
      aria-labelledby={labelledBy}
      aria-describedby={describedBy}
      onChange={({ target }) => change(target.value)}
    />
  );
}

function Choices({ element, isInput, labelledBy, describedBy }: Props) {
  const isMany = element.type === "checkboxes";
  const name = useId();
  const initial = isMany
    ? ((element.initial_options as Json[] | undefined) ?? []).map((option) => option.value as string)
    : ((element.initial_option as Json | undefined)?.value as string | undefined);
  const [value, change] = useValue<string | string[] | undefined>(element, isInput, initial);
  const isPicked = (option: string) => (Array.isArray(value) ? value.includes(option) : value === option);
  const picked = (option: string, is: boolean) => {
    const others = Array.isArray(value) ? value.filter((one) => one !== option) : [];
    change(isMany ? (is ? [...others, option] : others) : option);
  };
  return (
    <div role={isMany ? "group" : "radiogroup"} aria-labelledby={labelledBy} aria-describedby={describedBy} className="choices">
      {(element.options as Json[]).map((option) => (
        <label key={option.value as string}>
          <input
            type={isMany ? "checkbox" : "radio"}
            name={name}
            checked={isPicked(option.value as string)}
            onChange={({ target }) => picked(option.value as string, target.checked)}
          />
          <span>
            <Text text={option.text as Json} />
            {option.description && (
              <small>
                <Text text={option.description as Json} />
              </small>
            )}
          </span>
        </label>
      ))}
    </div>
  );
}

function Select({ element, isInput, labelledBy, describedBy }: Props) {
  const { users, channels } = useContext(SurfaceContext);
  const kind = (element.type as string).replace(/^multi_/, "");
  const isMany = kind !== element.type;
  const named = kind === "users_select" ? users : channels;
  const [key, nameKey] = kind === "users_select" ? ["user", "users"] : kind === "channels_select" ? ["channel", "channels"] : ["conversation", "conversations"];
  const isOfOptions = kind === "static_select" || kind === "external_select";
  const initial = isOfOptions
    ? isMany
      ? ((element.initial_options as Json[] | undefined) ?? []).map((option) => option.value as string)
      : ((element.initial_option as Json | undefined)?.value as string | undefined)
    : (element[isMany ? `initial_${nameKey}` : `initial_${key}`] as string | string[] | undefined);
  const [value, change] = useValue<string | string[] | undefined>(element, isInput, initial);
  const groups = (element.option_groups as Json[] | undefined) ?? [];
  const entries = (options: Json[]) =>
    options.map((option) => (
      <option key={option.value as string} value={option.value as string}>
        {label(option.text as Json)}
      </option>
    ));
  return (
    <select
      multiple={isMany}
      value={value ?? (isMany ? [] : "")}
      data-focus={element.focus_on_load === true || undefined}
      aria-labelledby={labelledBy}
      aria-describedby={describedBy}
      aria-label={labelledBy ? undefined : label(element.placeholder as Json | undefined) || "Choose"}
      onChange={({ target }) => change(isMany ? [...target.selectedOptions].map((option) => option.value) : target.value)}
    >
      {!isMany && (
        <option value="" disabled>
          {label(element.placeholder as Json | undefined) || "Choose an option"}
        </option>
      )}
      {isOfOptions
        ? entries((element.options as Json[] | undefined) ?? [])
        : named.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
      {groups.map((group, number) => (
        <optgroup key={number} label={label(group.label as Json)}>
          {entries(group.options as Json[])}
        </optgroup>
      ))}
    </select>
  );
}
