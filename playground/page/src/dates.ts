const DAY_MS = 24 * 60 * 60 * 1000;

function midnight(moment: Date): number {
  return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();
}

function near(moment: Date): string | null {
  const days = Math.round((midnight(moment) - midnight(new Date())) / DAY_MS);
  return ({ "-1": "yesterday", "0": "today", "1": "tomorrow" } as Record<string, string>)[days] ?? null;
}

function ago(moment: Date): string {
  const minutes = Math.round((Date.now() - moment.getTime()) / 60_000);
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (Math.abs(minutes) < 60) return format.format(-minutes, "minute");
  if (Math.abs(minutes) < 24 * 60) return format.format(-Math.round(minutes / 60), "hour");
  return format.format(-Math.round(minutes / 60 / 24), "day");
}

/** Slack's date tokens, in the reader's time zone. */
const TOKENS: Record<string, (moment: Date) => string> = {
  date_num: (moment) => moment.toLocaleDateString("sv-SE"),
  date_slash: (moment) => moment.toLocaleDateString("en-US"),
  date: (moment) => moment.toLocaleDateString("en", { year: "numeric", month: "long", day: "numeric" }),
  date_short: (moment) => moment.toLocaleDateString("en", { year: "numeric", month: "short", day: "numeric" }),
  date_long: (moment) =>
    moment.toLocaleDateString("en", { weekday: "long", year: "numeric", month: "long", day: "numeric" }),
  time: (moment) => moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }),
  time_secs: (moment) => moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  ago,
};

export function formatDate(seconds: number, format: string): string {
  const moment = new Date(seconds * 1000);
  return format.replace(/\{(\w+)\}/g, (whole, token: string) => {
    if (token === "day_divider_pretty") return near(moment) ?? TOKENS.date_long!(moment);
    const plain = token.replace(/_(pretty|full)$/, "");
    const named = token.endsWith("_pretty") ? near(moment) : null;
    return named ?? TOKENS[plain]?.(moment) ?? whole;
  });
}

export const timeOf = (ts: string) => formatDate(Number(ts), "{time}");
export const dayOf = (ts: string) => formatDate(Number(ts), "{day_divider_pretty}");
