import { RUN_STATUS, type RunStatus, type StatusLook, TASK_STATE, type TaskState } from "./status";

/** Colour, glyph and word together: none of them alone carries the meaning. Plain HTML, fit for table rows. */
export const StatusMark = ({ look }: { look: StatusLook }) => (
  <span className={`status tone-${look.tone}`} title={look.meaning}>
    <span aria-hidden="true">{look.glyph}</span>
    {look.word}
  </span>
);

export const RunStatusBadge = ({ status }: { status: RunStatus }) => <StatusMark look={RUN_STATUS[status]} />;

export const TaskStateBadge = ({ state }: { state: TaskState }) => <StatusMark look={TASK_STATE[state]} />;
