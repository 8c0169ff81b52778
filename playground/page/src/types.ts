// What the server sends: playground/page_views.py, page_traffic.py and page.py.

export type Json = Record<string, any>;

export interface Named {
  id: string;
  name: string;
}

export interface Person extends Named {
  real_name: string;
  about: string;
}

export interface Message {
  ts: string;
  user: string;
  text: string;
  blocks?: Json[];
  thread_ts?: string;
  edited?: Json;
  is_ephemeral: boolean;
}

export interface Place extends Named {
  is_private: boolean;
  is_direct: boolean;
  messages: Message[];
}

export interface View {
  id: string;
  hash: string;
  type: "modal" | "home";
  title?: Json;
  submit?: Json;
  close?: Json;
  blocks: Json[];
  errors: Record<string, string>;
}

export interface SlackState {
  team: string;
  who: Named;
  app: Named;
  is_app_connected: boolean;
  people: Person[];
  users: Named[];
  groups: Named[];
  channels: Place[];
  modals: View[];
  home: View | null;
}

export interface Move {
  vm: Named;
  way: string;
  state: string;
  percent: number;
  fails: boolean;
}

export interface Plan {
  id: string;
  state: string;
  execution: string | null;
  is_current: boolean;
  moves: Move[];
}

export interface Pool extends Named {
  state: string;
  reason: string | null;
  expires: string | null;
  vmstores: string[];
  plans: Plan[];
}

export interface TgcState {
  url: string;
  is_serving: boolean;
  latency_s: number;
  sessions: number;
  move_minutes: number;
  pools: Pool[];
}

export interface Entry {
  id: string;
  at: number;
  sender: string;
  receiver: string;
  what: string;
  outcome: string;
  is_trouble: boolean;
  problems: string[];
}

export interface Setting {
  examples: { words: string; meaning: string }[];
  note: string;
  people: Person[];
}
