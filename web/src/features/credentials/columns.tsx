import { Link } from "@tanstack/react-router";

import { count } from "@/lib/span";
import { StatusMark } from "@/ui/status-badge";
import type { Column } from "@/ui/table/data-table";
import { Ago } from "@/ui/time";

import type { Credential } from "./api";
import { standingOf } from "./standing";
import { KINDS } from "./types";

const usersOf = ({ targets, jobs }: Credential["used_by"]): string =>
  [targets > 0 || jobs === 0 ? count(targets, "target") : "", jobs > 0 ? count(jobs, "job") : ""].filter(Boolean).join(", ");

export const CREDENTIAL_COLUMNS: readonly Column<Credential>[] = [
  { id: "standing", header: "Standing", width: "128px", card: "mark", cell: (credential) => <StatusMark look={standingOf(credential)} /> },
  {
    id: "name", header: "Name", width: "minmax(150px, 2fr)", sort: "name", card: "title",
    cell: (credential) => (
      <Link to="/credentials/$credentialId" params={{ credentialId: credential.id }} title={credential.name}><bdi>{credential.name}</bdi></Link>
    ),
  },
  { id: "type", header: "Kind", width: "140px", from: 620, card: "note", cell: ({ type }) => KINDS[type].label },
  { id: "username", header: "User name", width: "minmax(110px, 1fr)", from: 760, card: "note", cell: ({ username }) => username ? <bdi title={username}>{username}</bdi> : <span className="quiet">–</span> },
  {
    id: "used", header: "Used by", width: "140px", from: 480, card: "note",
    cell: ({ used_by }) => <span title={[...used_by.sample, ...used_by.jobs_sample].map(({ name }) => name).join(", ")} className={used_by.targets + used_by.jobs === 0 ? "quiet" : ""}>{usersOf(used_by)}</span>,
  },
  { id: "version", header: "Version", width: "76px", end: true, from: 900, cell: ({ version }) => version },
  { id: "changed", header: "Changed", width: "112px", end: true, from: 620, cell: ({ updated_at }) => <Ago at={updated_at} /> },
];
