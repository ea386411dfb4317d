import { CauseLink } from "@/ui/cause-link";
import { STAGE_STATUS } from "@/ui/status";

import type { ConnectionTest } from "@/features/targets/api";
import { type Stage, STAGE, stagesOf, took } from "./stage-words";
import classes from "./testing.module.css";

const StageLine = ({ report }: { report: Stage }) => {
  const look = STAGE_STATUS[report.status];
  const { word, asks } = STAGE[report.stage];
  return (
    <li className={`${classes.stage ?? ""} tone-${look.tone}`} data-stage={report.stage} data-status={report.status}>
      <span className={classes.glyph} role="img" aria-label={look.word} title={look.meaning}>{look.glyph}</span>
      <span className={classes.name} title={asks}>{word}</span>
      <span className={classes.detail}>
        {report.status === "skipped" ? <span className="quiet">{report.detail || "not tried"}</span> : report.error ? null : report.detail}
        {report.error && (
          <div className={classes.error}>
            <strong>{report.error.message}</strong> <CauseLink code={report.error.code} />
            {report.error.hint !== "" && <div className={classes.hint}>{report.error.hint}</div>}
          </div>
        )}
      </span>
      <span className={classes.ms}>{report.ms === null ? "" : took(report.ms)}</span>
    </li>
  );
};

/** What a test found, stage by stage; a failure says why and what to do. */
export const Stages = ({ test }: { test: ConnectionTest }) => (
  <ol className={classes.stages} aria-label="Stages of the connection test">
    {test.stages.map((report) => <StageLine key={report.stage} report={report} />)}
  </ol>
);

/** The stages before the result is there. */
export const StagesAhead = ({ transport }: { transport: ConnectionTest["transport"] }) => (
  <ol className={classes.stages} aria-label="Stages of the connection test" aria-busy="true">
    {stagesOf(transport).map((stage) => (
      <li key={stage} className={`${classes.stage ?? ""} tone-wait`}>
        <span className={classes.glyph} aria-hidden="true">◌</span>
        <span className={classes.name}>{STAGE[stage].word}</span>
        <span className="quiet">{STAGE[stage].asks}</span>
        <span />
      </li>
    ))}
  </ol>
);
