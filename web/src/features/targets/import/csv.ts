/** Reading targets out of CSV, as spreadsheets write it. Pure. */
import type { TargetSpec } from "@/features/targets/api";
import { EMPTY, specOf, tagMap } from "@/features/targets/form/draft";

/** What may stand in the first line, and what is meant by it. */
export const COLUMNS = {
  name: "required", hostname: "required; a DNS name or an IP address", os: "linux or windows", port: "empty: the usual one",
  credential: "the name of one that exists", pool: "empty: default", tags: "blanks between them: web env=prod", scheme: "Windows: https or http", host_key: "Linux: ssh-ed25519 AAAA…",
} as const;

export type Column = keyof typeof COLUMNS;

export interface ImportRow {
  /** Of the file, from 1. */
  line: number;
  name: string;
  /** Null while something is wrong. */
  spec: TargetSpec | null;
  problems: string[];
}

export interface Import {
  rows: ImportRow[];
  /** What is wrong with the file as a whole. */
  problem: string | null;
  /** Columns that mean nothing here. */
  ignored: string[];
}

interface Line {
  line: number;
  cells: string[];
}

/** Comma, semicolon or tab: whichever the first line has most of. */
const separatorOf = (text: string): string => {
  const [head = ""] = text.split(/\r?\n/, 1);
  return [",", ";", "\t"].toSorted((a, b) => head.split(b).length - head.split(a).length)[0] ?? ",";
};

/** The cells of each line (RFC 4180: quotes may hold separators, line breaks and doubled quotes); empty lines are left out. */
export const cellsOf = (text: string): Line[] => {
  const clean = text.replace(/^\uFEFF/, "");
  const separator = separatorOf(clean);
  const lines: Line[] = [];
  let [cell, quoted, line, begun] = ["", false, 1, 1];
  let cells: string[] = [];
  const end = (): void => {
    cells.push(cell);
    if (cells.some((each) => each.trim() !== "")) lines.push({ line: begun, cells });
    [cell, cells] = ["", []];
  };
  for (let at = 0; at < clean.length; at += 1) {
    const sign = clean.charAt(at);
    if (sign === "\n") line += 1;
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (clean.charAt(at + 1) === '"') { cell += '"'; at += 1; }
      else quoted = false;
    } else if (sign === '"' && cell.trim() === "") { quoted = true; cell = ""; }
    else if (sign === separator) { cells.push(cell); cell = ""; }
    else if (sign === "\n") { end(); begun = line; }
    else if (sign !== "\r") cell += sign;
  }
  end();
  return lines;
};

const HOST = /^[A-Za-z0-9._:%[\]-]{1,253}$/;
const POOL = /^[a-z][a-z0-9-]{0,31}$/;

const portIn = (text: string, problems: string[]): number | null => {
  if (text === "") return null;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  problems.push(`port: ${text} is not a number from 1 to 65535`);
  return null;
};

const specIn = (of: (column: Column) => string, credentials: ReadonlyMap<string, string>, problems: string[]): TargetSpec => {
  const os = of("os").toLowerCase() || (of("scheme") ? "windows" : "linux");
  if (os !== "linux" && os !== "windows") problems.push(`os: ${os} is neither linux nor windows`);
  if (of("name") === "") problems.push("name: is missing");
  if (!HOST.test(of("hostname"))) problems.push(of("hostname") === "" ? "hostname: is missing" : `hostname: ${of("hostname")} is no name or address`);
  const pool = of("pool") || "default";
  if (!POOL.test(pool)) problems.push("pool: small letters, digits and dashes, a letter first");
  const scheme = of("scheme").toLowerCase() || "https";
  if (scheme !== "https" && scheme !== "http") problems.push(`scheme: ${scheme} is neither https nor http`);
  const credentialId = of("credential") === "" ? null : (credentials.get(of("credential")) ?? null);
  if (of("credential") !== "" && credentialId === null) problems.push(`credential: there is none named ${of("credential")}`);
  const port = portIn(of("port"), problems);
  const tags = of("tags").split(/[\s]+/).filter((word) => word !== "");
  if (Object.keys(tagMap(tags)).some((name) => name === "" || name.length > 63 || name.includes(","))) problems.push("tags: words or name=value, blanks between them");
  return specOf({
    ...EMPTY, os: os === "windows" ? "windows" : "linux", name: of("name"), hostname: of("hostname"), credentialId, pool, tags,
    winrmPort: port, sshPort: port ?? 22, winrm: { ...EMPTY.winrm, scheme: scheme === "http" ? "http" : "https" }, ssh: { ...EMPTY.ssh, host_key: of("host_key") },
  });
};

/** `credentials`: ids by name. Names that stand twice in the file are told at the second. */
export const readImport = (text: string, credentials: ReadonlyMap<string, string>): Import => {
  const [head, ...lines] = cellsOf(text);
  if (!head) return { rows: [], problem: null, ignored: [] };
  const columns = head.cells.map((cell) => cell.trim().toLowerCase());
  const missing = (["name", "hostname"] as const).filter((column) => !columns.includes(column));
  if (missing.length > 0)
    return { rows: [], ignored: [], problem: `The first line has to name the columns; ${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing.` };
  const first = new Map<string, number>();
  const rows = lines.map(({ line, cells }): ImportRow => {
    const of = (column: Column): string => (cells[columns.indexOf(column)] ?? "").trim();
    const problems: string[] = [];
    const spec = specIn(of, credentials, problems);
    const before = first.get(spec.name);
    if (before !== undefined && spec.name !== "") problems.push(`name: stands in line ${before} already`);
    else first.set(spec.name, line);
    if (cells.length > columns.length) problems.push(`has ${cells.length} cells, the first line only ${columns.length}`);
    return { line, name: spec.name, spec: problems.length === 0 ? spec : null, problems };
  });
  return { rows, problem: rows.length === 0 ? "There is nothing below the first line." : null, ignored: columns.filter((column) => column !== "" && !(column in COLUMNS)) };
};
