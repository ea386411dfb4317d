import { Tooltip } from "@mantine/core";

import { useLiveState } from "@/api/live-hooks";
import { LIVE_STATE } from "@/ui/status";

/** Whether what this page shows is as of now. Says nothing where nothing changes by itself. */
export const LiveBadge = () => {
  const state = useLiveState();
  const look = LIVE_STATE[state];
  if (state === "idle") return <span role="status" />;
  return (
    <Tooltip label={look.meaning}>
      <span className={`status tone-${look.tone}`} role="status">
        <span aria-hidden="true">{look.glyph}</span>
        {look.word}
      </span>
    </Tooltip>
  );
};
