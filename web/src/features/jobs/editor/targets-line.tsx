import type { TargetsPreview } from "@/features/jobs/api";
import classes from "./editor.module.css";

const SHOWN = 6;

/** How many targets the job would run on now, and a few of them. */
export const TargetsLine = ({ preview }: { preview: TargetsPreview | null }) => {
  if (preview === null) return null;
  const names = [...new Set(preview.steps.flatMap(({ targets }) => targets))];
  return (
    <div className={classes.status} role="status" aria-label="Targets now">
      <b>{preview.count === 0 ? "No target yet" : `${preview.count} ${preview.count === 1 ? "target" : "targets"} now`}</b>
      <span className="quiet">{preview.count === 0 ? "They are chosen when it is run." : `${names.slice(0, SHOWN).join(", ")}${preview.count > SHOWN ? ", …" : ""}`}</span>
    </div>
  );
};
