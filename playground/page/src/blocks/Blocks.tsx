import { useContext, useId, useMemo } from "react";
import type { Json } from "../types";
import { Drawn, label, Text } from "./Drawn";
import { Element } from "./Elements";
import { readable } from "./mrkdwn";
import { SurfaceContext } from "./surface";

/** Blocks as Slack shows them: texts by slack-blocks-to-jsx, what people act on by us. */
export function Blocks({ blocks }: { blocks: Json[] }) {
  return (
    <div className="blocks">
      {blocks.map((block, number) => (
        <One key={`${block.block_id as string}-${number}`} block={block} />
      ))}
    </div>
  );
}

function One({ block }: { block: Json }) {
  switch (block.type) {
    case "header":
      return (
        <h3 className="bk-header">
          <Text text={block.text as Json} />
        </h3>
      );
    case "section":
      return <Section block={block} />;
    case "context":
      return (
        <div className="bk-context">
          {(block.elements as Json[]).map((element, number) =>
            element.type === "image" ? <Element key={number} element={element} /> : <Text key={number} text={element} />,
          )}
        </div>
      );
    case "actions":
      return (
        <div className="bk-actions">
          {(block.elements as Json[]).map((element) => (
            <Element key={element.action_id as string} element={element} />
          ))}
        </div>
      );
    case "input":
      return <Input block={block} />;
    case "divider":
      return <hr />;
    case "container":
      return <Blocks blocks={block.child_blocks as Json[]} />;
    default:
      return <Rest block={block} />;
  }
}

function Section({ block }: { block: Json }) {
  return (
    <div className="bk-section">
      <div>
        {block.text && <Text text={block.text as Json} />}
        {block.fields && (
          <div className="bk-fields">
            {(block.fields as Json[]).map((field, number) => (
              <Text key={number} text={field} />
            ))}
          </div>
        )}
      </div>
      {block.accessory && <Element element={block.accessory as Json} />}
    </div>
  );
}

function Input({ block }: { block: Json }) {
  const { errors } = useContext(SurfaceContext);
  const name = useId();
  const error = errors[block.block_id as string];
  return (
    <div className="bk-input">
      <span id={name} className="label">
        {label(block.label as Json)}
        {block.optional && <small> (optional)</small>}
      </span>
      <Element element={block.element as Json} isInput labelledBy={name} describedBy={`${name}-more`} />
      <div id={`${name}-more`}>
        {block.hint && <small>{label(block.hint as Json)}</small>}
        {error && (
          <p role="alert" className="error">
            {error}
          </p>
        )}
      </div>
    </div>
  );
}

function Rest({ block }: { block: Json }) {
  const shown = useMemo(() => readable(block), [block]);
  return <Drawn block={shown} />;
}
