import { Blocks } from "./blocks/Blocks";
import { SurfaceContext } from "./blocks/surface";
import type { Json, SlackState, View } from "./types";

interface Props {
  slack: SlackState;
  view: View;
  act: (body: Json) => Promise<string | null>;
  values: Record<string, unknown>;
  fill: (actionId: string, value: unknown) => void;
}

export function ViewBlocks({ slack, view, act, values, fill }: Props) {
  const press = async (actionId: string, value: string | undefined) => {
    await act({ act: "press", view: view.id, action_id: actionId, value: value ?? null });
  };
  const pick = async (actionId: string, value: unknown) => {
    await act({ act: "pick", view: view.id, action_id: actionId, value });
  };
  const { users, channels } = slack;
  return (
    <SurfaceContext value={{ press, pick, values, fill, errors: view.errors, users, channels }}>
      <Blocks blocks={view.blocks} />
    </SurfaceContext>
  );
}
