import { useState } from "react";
import { Dialog } from "./Dialog";
import { label } from "./blocks/Drawn";
import type { Json, SlackState, View } from "./types";
import { ViewBlocks } from "./ViewBlocks";

interface Props {
  slack: SlackState;
  act: (body: Json) => Promise<string | null>;
}

/** The topmost modal of the person. */
export function Modal({ slack, act }: Props) {
  const view = slack.modals.at(-1);
  return view ? <Shown key={view.id} slack={slack} view={view} act={act} /> : null;
}

function Shown({ slack, view, act }: Props & { view: View }) {
  const [values, setValues] = useState<Record<string, unknown>>({});
  const [trouble, setTrouble] = useState<string | null>(null);
  const there = new Set(view.blocks.map((block) => (block.element as Json | undefined)?.action_id as string | undefined));
  const filled = Object.fromEntries(Object.entries(values).filter(([id]) => there.has(id)));
  const close = () => void act({ act: "close", view: view.id });
  const submit = async () => {
    setTrouble(null); // what was wrong before is not what will be wrong now
    setTrouble(await act({ act: "submit", view: view.id, values: filled }));
  };
  return (
    <Dialog className="modal" title={label(view.title)} onClose={close}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <div className="dialog-body" tabIndex={0}>
          {trouble && (
            <p role="alert" className="error">
              {trouble}
            </p>
          )}
          <ViewBlocks
            slack={slack}
            view={view}
            act={act}
            values={values}
            fill={(id, value) => setValues((before) => ({ ...before, [id]: value }))}
          />
        </div>
        <footer>
          <button type="button" onClick={close}>
            {label(view.close) || (view.submit ? "Cancel" : "Close")}
          </button>
          {view.submit && (
            <button type="submit" className="primary">
              {label(view.submit)}
            </button>
          )}
        </footer>
      </form>
    </Dialog>
  );
}
