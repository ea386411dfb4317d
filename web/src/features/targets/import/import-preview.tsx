import { Link } from "@tanstack/react-router";

import { addressOf } from "@/features/targets/addressing";
import { tagWords } from "@/features/targets/form/draft";
import classes from "@/features/targets/targets.module.css";
import type { ImportRow } from "./csv";

export type RowResult = { state: "created"; id: string } | { state: "refused"; reason: string };

const SHOWN = 500;

const Mark = ({ tone, glyph, word }: { tone: string; glyph: string; word: string }) => (
  <span className={`status tone-${tone}`}><span aria-hidden="true">{glyph}</span>{word}</span>
);

const Result = ({ row, result }: { row: ImportRow; result: RowResult | undefined }) => {
  if (result?.state === "created") return <><Mark tone="ok" glyph="✓" word="Created" /> <Link to="/targets/$targetId" params={{ targetId: result.id }}>Open</Link></>;
  if (result) return <><Mark tone="bad" glyph="✕" word="Refused" /> <bdi>{result.reason}</bdi></>;
  if (row.spec) return <Mark tone="wait" glyph="◷" word="Ready" />;
  return <><Mark tone="bad" glyph="✕" word="Mistake" /> <bdi>{row.problems.join("; ")}</bdi></>;
};

/** What each line would become, and what became of it. */
export const ImportPreview = ({ rows, results }: { rows: readonly ImportRow[]; results: ReadonlyMap<number, RowResult> }) => (
  <div className={classes.scroll} tabIndex={0} role="region" aria-label="Preview">
    <table className={classes.preview}>
      <thead><tr><th scope="col">Line</th><th scope="col">Name</th><th scope="col">Address</th><th scope="col">Tags</th><th scope="col">Result</th></tr></thead>
      <tbody>
        {rows.slice(0, SHOWN).map((row) => (
          <tr key={row.line}>
            <td className="quiet">{row.line}</td>
            <td><bdi>{row.name}</bdi></td>
            <td className="mono">{row.spec && addressOf({ os: row.spec.os, hostname: row.spec.hostname, winrm: row.spec.winrm, ssh: row.spec.ssh })}</td>
            <td><bdi>{row.spec && tagWords(row.spec.tags as Record<string, string>).join(" ")}</bdi></td>
            <td><Result row={row} result={results.get(row.line)} /></td>
          </tr>
        ))}
      </tbody>
    </table>
    {rows.length > SHOWN && <p className="quiet">… and {rows.length - SHOWN} more lines.</p>}
  </div>
);
