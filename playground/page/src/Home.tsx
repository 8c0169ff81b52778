import type { Json, SlackState } from "./types";
import { ViewBlocks } from "./ViewBlocks";

interface Props {
  slack: SlackState;
  act: (body: Json) => Promise<string | null>;
}

export function Home({ slack, act }: Props) {
  return (
    <section className="home" role="tabpanel" aria-label="Home">
      {slack.home ? (
        <ViewBlocks slack={slack} view={slack.home} act={act} values={{}} fill={() => undefined} />
      ) : (
        <p className="nothing">{slack.app.name} has published no Home tab for you.</p>
      )}
    </section>
  );
}
