import { Link } from "@tanstack/react-router";

import type { Schemas } from "@/api/client";
import { RUN_STATUS } from "@/ui/status";

import classes from "./jobs.module.css";

/** How the last runs went, the newest at the right; each dot leads to its run. */
export const RunDots = ({ runs }: { runs: readonly Schemas["RunDot"][] }) => {
  if (runs.length === 0) return <span className="quiet">never ran</span>;
  return (
    <span className={classes.dots}>
      {runs.map(({ id, status }, place) => {
        const { word, glyph, tone } = RUN_STATUS[status];
        const label = `${word}, ${place === 0 ? "the last run" : `${place + 1} runs ago`}`;
        return (
          <Link key={id} to="/runs/$runId" params={{ runId: id }} className={`${classes.dot ?? ""} tone-${tone}`} title={label} aria-label={label} preload={false}>
            <span aria-hidden="true">{glyph}</span>
          </Link>
        );
      })}
    </span>
  );
};
