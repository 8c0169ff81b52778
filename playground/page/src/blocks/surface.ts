import { createContext } from "react";
import type { Named } from "../types";

export interface Surface {
  /** A button pressed, or an option picked, where the blocks stand. */
  press: (actionId: string, value: string | undefined) => Promise<void>;
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
  values: {},
  fill: () => undefined,
  errors: {},
  users: [],
  channels: [],
});
