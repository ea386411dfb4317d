import { ActionIcon, Menu, Switch, TextInput, Tooltip } from "@mantine/core";
import { ChevronDown, ChevronUp, Download, ExternalLink, Search, X } from "lucide-react";
import type { ReactNode, RefObject } from "react";

import { toastProblem } from "@/ui/toasts";

import type { Part } from "./feed";
import classes from "./log.module.css";
import { download, type FileKind } from "./reading";
import type { Finding } from "./use-find";
import type { Look } from "./use-look";

const FILES: readonly { label: string; kind: FileKind }[] = [
  { label: "Text", kind: { format: "text", ansi: false } },
  { label: "Text with times", kind: { format: "text", ansi: false, timestamps: true } },
  { label: "Text with colours", kind: { format: "text", ansi: true } },
  { label: "JSON lines", kind: { format: "jsonl" } },
];

export const DownloadMenu = ({ runId, part }: { runId: string; part: Part }) => (
  <Menu position="bottom-end" withinPortal>
    <Menu.Target>
      <ActionIcon variant="subtle" aria-label="Download the log"><Download size={16} /></ActionIcon>
    </Menu.Target>
    <Menu.Dropdown>
      {FILES.map(({ label, kind }) => (
        <Menu.Item key={label} onClick={() => void download(runId, part, kind).catch((error: unknown) => toastProblem("The log could not be downloaded", error))}>
          {label}
        </Menu.Item>
      ))}
    </Menu.Dropdown>
  </Menu>
);

interface Props {
  runId: string;
  part: Part;
  finding: Finding;
  input: RefObject<HTMLInputElement | null>;
  /** The first line in sight, where finding begins. */
  from: () => number;
  onShow: (line: number) => void;
  onLeave: () => void;
  look: Look;
  onLook: (change: Partial<Look>) => void;
  /** Null where nothing more comes. */
  follow: boolean | null;
  onFollow: (follow: boolean) => void;
  count: number;
  /** More is stored than has come. */
  loading: boolean;
  chips: ReactNode;
  plainPage: (children: ReactNode) => ReactNode;
}

const countOf = ({ question, found, index, pending }: Finding, loading: boolean): string => {
  if (question === "") return "";
  if (pending) return "…";
  const soFar = loading ? " so far" : "";
  return found.total === 0 ? `0 found${soFar}` : `${(index + 1).toLocaleString("en")} / ${found.total.toLocaleString("en")}${soFar}`;
};

export const LogToolbar = ({ runId, part, finding, input, from, onShow, onLeave, look, onLook, follow, onFollow, count, loading, chips, plainPage }: Props) => {
  const go = (by: 1 | -1): void => {
    const line = finding.step(by);
    if (line !== null) onShow(line);
  };
  const onKey = (event: React.KeyboardEvent): void => {
    if (event.key === "Enter") {
      event.preventDefault();
      go(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (finding.question === "") onLeave();
      else finding.ask("", 0);
    }
  };
  return (
    <div className={classes.bar} role="search" aria-label="Log">
      <span className={classes.find}>
        <TextInput ref={input} size="xs" w={210} aria-label="Find in the log" placeholder="Find in log  (Ctrl F)" leftSection={<Search size={14} />}
          value={finding.question} onChange={(event) => finding.ask(event.currentTarget.value, from())} onKeyDown={onKey}
          rightSection={finding.question === "" ? null : <ActionIcon size="sm" variant="subtle" aria-label="Clear what is looked for" onClick={() => finding.ask("", 0)}><X size={13} /></ActionIcon>} />
        <ActionIcon variant="subtle" aria-label="Match before" disabled={finding.found.total === 0} onClick={() => go(-1)}><ChevronUp size={16} /></ActionIcon>
        <ActionIcon variant="subtle" aria-label="Next match" disabled={finding.found.total === 0} onClick={() => go(1)}><ChevronDown size={16} /></ActionIcon>
        <span className={classes.count} aria-live="polite" data-testid="found">{countOf(finding, loading)}</span>
      </span>
      {chips}
      <span className={classes.space} />
      {follow !== null && <Switch size="xs" label="Follow" checked={follow} onChange={(event) => onFollow(event.currentTarget.checked)} />}
      <Switch size="xs" label="Times" checked={look.times} onChange={(event) => onLook({ times: event.currentTarget.checked })} />
      <Switch size="xs" label="Names" checked={look.names} onChange={(event) => onLook({ names: event.currentTarget.checked })} />
      <Switch size="xs" label="Wrap" checked={look.wrap} onChange={(event) => onLook({ wrap: event.currentTarget.checked })} />
      <DownloadMenu runId={runId} part={part} />
      <Tooltip label="As one plain page, where the browser's own find, select and print work">
        {plainPage(<ExternalLink size={16} aria-label="Plain page" />)}
      </Tooltip>
      <span className="status tone-off" data-testid="line-count" {...(loading ? { "data-counting": true } : {})}>{count.toLocaleString("en")} {count === 1 ? "line" : "lines"}{loading && " so far…"}</span>
    </div>
  );
};
