import { createContext } from "react";
import type { Named } from "../types";

export interface Surface {
  /** A button, or an entry of a menu. */
  press: (actionId: string, value: string | undefined) => Promise<void>;
  /** A date, people, options by their values; outside input blocks, where it is sent at once. */
  pick: (actionId: string, value: unknown) => Promise<void>;
  /** What is filled in so far, by action id; undefined where nobody touched the field. */
  values: Record<string, unknown>;
  fill: (actionId: string, value: unknown) => void;
  /** What the app found wrong, by block id. */
  errors: Record<string, string>;
  users: Named[];
  channels: Named[];
}

export const SurfaceContext = createContext<Surface>({
  press: () => Promise.resolve(),
  pick: () => Promise.resolve(),
  values: {},
  fill: () => undefined,
  errors: {},
  users: [],
  channels: [],
});
