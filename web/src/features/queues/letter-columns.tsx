import { Link } from "@tanstack/react-router";

import { StatusMark } from "@/ui/status-badge";
import type { Column } from "@/ui/table/data-table";
import { Ago } from "@/ui/time";

import type { Letter } from "./api";
import { errorWords, LETTER_STATUS, messageWords, subjectWords } from "./words";

export const LETTER_COLUMNS: readonly Column<Letter>[] = [
  { id: "status", header: "Status", width: "112px", cell: ({ status }) => <StatusMark look={LETTER_STATUS[status]} /> },
  {
    id: "message", header: "Message", width: "minmax(120px, 1fr)",
    cell: ({ id, wire_type }) => <Link to="/queues/letters/$letterId" params={{ letterId: id }}>{messageWords(wire_type)}</Link>,
  },
  { id: "error", header: "What went wrong", width: "minmax(140px, 3fr)", from: 520, cell: (letter) => <span title={errorWords(letter)}>{errorWords(letter)}</span> },
  { id: "parks", header: "Parks", width: "120px", from: 800, cell: ({ subject_kind, status }) => (status === "open" ? subjectWords(subject_kind) : "–") },
  { id: "queue", header: "Queue", width: "minmax(140px, 1fr)", from: 1_000, cell: ({ queue }) => <span className="mono" title={queue}>{queue}</span> },
  { id: "attempts", header: "Tries", width: "60px", end: true, from: 800, cell: ({ attempts }) => attempts },
  { id: "since", header: "Since", width: "96px", end: true, cell: ({ created_at }) => <Ago at={created_at} /> },
];
