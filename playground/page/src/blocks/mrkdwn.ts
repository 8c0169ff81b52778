// Slack's mrkdwn and plain text as rich_text, which slack-blocks-to-jsx draws as Slack does. Its own reading of mrkdwn
// is Markdown's, and it leaves `verbatim` text undone, dates included.

import type { Json } from "../types";

type Style = { bold?: true; italic?: true; strike?: true; code?: true };

export const unescaped = (text: string) =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

const EMOJI = /:([a-z0-9_+'-]+):/g;
const INLINE =
  /<([^<>\n]+)>|`([^`\n]+)`|(?<![\w*])\*([^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])|(?<![\w_])_([^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])|(?<![\w~])~([^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])/;
const ADDRESS = /https?:\/\/[^\s<>]+[^\s<>.,;:!?)'"]/;

function styled(element: Json, style: Style): Json {
  return Object.keys(style).length > 0 ? { ...element, style } : element;
}

function words(text: string, style: Style, isLinked: boolean): Json[] {
  const address = isLinked ? ADDRESS.exec(text) : null;
  if (address) {
    const before = text.slice(0, address.index);
    const after = text.slice(address.index + address[0].length);
    const link = styled({ type: "link", url: unescaped(address[0]) }, style);
    return [...words(before, style, false), link, ...words(after, style, true)];
  }
  const found: Json[] = [];
  let last = 0;
  for (const emoji of text.matchAll(EMOJI)) {
    if (emoji.index > last) found.push(styled({ type: "text", text: unescaped(text.slice(last, emoji.index)) }, style));
    found.push({ type: "emoji", name: emoji[1] });
    last = emoji.index + emoji[0].length;
  }
  if (last < text.length) found.push(styled({ type: "text", text: unescaped(text.slice(last)) }, style));
  return found;
}

/** What stands between < and >. */
function reference(inside: string, style: Style): Json {
  const [target = "", label] = inside.split("|", 2);
  const [, kind, id = ""] = /^(@|#|!subteam\^|!date\^|!)(.*)$/.exec(target) ?? [];
  switch (kind) {
    case "@":
      return styled({ type: "user", user_id: id }, style);
    case "#":
      return styled({ type: "channel", channel_id: id }, style);
    case "!subteam^":
      return styled({ type: "usergroup", usergroup_id: id }, style);
    case "!date^": {
      const [timestamp = "", format = ""] = id.split("^");
      return styled({ type: "date", timestamp: Number(timestamp), format: unescaped(format) }, style);
    }
    case "!":
      return styled({ type: "broadcast", range: id }, style);
    default:
      return styled({ type: "link", url: unescaped(target), text: unescaped(label ?? target) }, style);
  }
}

function inline(text: string, style: Style, isLinked: boolean): Json[] {
  const found = INLINE.exec(text);
  if (!found) return words(text, style, isLinked);
  const [whole, inside, code, bold, italic, strike] = found;
  const before = text.slice(0, found.index);
  const after = text.slice(found.index + whole.length);
  const middle =
    inside !== undefined
      ? [reference(inside, style)]
      : code !== undefined
        ? [styled({ type: "text", text: unescaped(code) }, { ...style, code: true })]
        : bold !== undefined
          ? inline(bold, { ...style, bold: true }, isLinked)
          : italic !== undefined
            ? inline(italic, { ...style, italic: true }, isLinked)
            : inline(strike!, { ...style, strike: true }, isLinked);
  return [...words(before, style, isLinked), ...middle, ...inline(after, style, isLinked)];
}

function paragraphs(text: string, isLinked: boolean): Json[] {
  const found: Json[] = [];
  for (const line of text.split("\n")) {
    const isQuote = line.startsWith("&gt;");
    const type = isQuote ? "rich_text_quote" : "rich_text_section";
    const elements = inline(isQuote ? line.slice(4).trimStart() : line, {}, isLinked);
    const last = found.at(-1);
    if (last?.type === type) last.elements.push({ type: "text", text: "\n" }, ...elements);
    else found.push({ type, elements });
  }
  return found;
}

/** A text object, or a message's text, as a rich_text block. */
export function richText(text: Json): Json {
  if (text.type === "plain_text") {
    const elements =
      text.emoji === false ? [{ type: "text", text: unescaped(text.text) }] : words(text.text, {}, false);
    return { type: "rich_text", elements: [{ type: "rich_text_section", elements }] };
  }
  const elements = (text.text as string).split("```").flatMap((part, number) => {
    if (number % 2 === 1)
      return [
        { type: "rich_text_preformatted", elements: [{ type: "text", text: unescaped(part.replace(/^\n|\n$/g, "")) }] },
      ];
    const between = part.replace(/^\n/, number > 0 ? "" : "\n");
    return between ? paragraphs(between, text.verbatim !== true) : [];
  });
  return { type: "rich_text", elements };
}

/** A rich_text block as it came, its texts no longer escaped. */
export function readable(value: Json): Json {
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key,
      key === "text" && typeof part === "string" ? unescaped(part) : readable(part as Json),
    ]),
  );
}
