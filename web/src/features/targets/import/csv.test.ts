import { expect, test } from "vitest";

import { cellsOf, readImport } from "./csv";

const NONE = new Map<string, string>();
const KNOWN = new Map([["ops", "credential-1"]]);

test("quotes hold separators, line breaks and quotes, and lines keep their number in the file", () => {
  expect(cellsOf('name,note\r\n"a, b","say ""hi""\nthere"\n\nc,d')).toEqual([
    { line: 1, cells: ["name", "note"] }, { line: 2, cells: ["a, b", 'say "hi"\nthere'] }, { line: 5, cells: ["c", "d"] },
  ]);
});

test.each([["semicolons", ";"], ["tabs", "\t"]])("files with %s are read as well, with the mark that spreadsheets put first", (_, sign) => {
  const { rows } = readImport(`\uFEFF${["name", "hostname"].join(sign)}\n${["web-1", "10.0.0.1"].join(sign)}`, NONE);
  expect(rows[0]?.spec).toMatchObject({ name: "web-1", hostname: "10.0.0.1", os: "linux", pool: "default", ssh: { port: 22 } });
});

test("each column says something about the target", () => {
  const { rows } = readImport("name,hostname,os,port,credential,pool,tags,scheme\nsql-1,sql-1.example,Windows,5985,ops,dmz,db env=prod,http", KNOWN);
  expect(rows[0]).toMatchObject({
    line: 2, problems: [],
    spec: { os: "windows", credential_id: "credential-1", pool: "dmz", tags: { db: "", env: "prod" }, winrm: { scheme: "http", port: 5985 } },
  });
});

test("what is wrong is said at its line, and only that line is left out", () => {
  const { rows } = readImport("name,hostname,os,port,credential\nok,host,,,\n,ho st,beos,99999,gone\nok,host,,,", KNOWN);
  expect(rows.map(({ line, spec }) => [line, spec !== null])).toEqual([[2, true], [3, false], [4, false]]);
  expect(rows[1]?.problems).toEqual([
    "os: beos is neither linux nor windows", "name: is missing", "hostname: ho st is no name or address", "credential: there is none named gone", "port: 99999 is not a number from 1 to 65535",
  ]);
  expect(rows[2]?.problems).toEqual(["name: stands in line 2 already"]);
});

test("a file without the columns it needs is told so, and columns nobody knows are named", () => {
  expect(readImport("host,address\na,b", NONE).problem).toContain("name and hostname are missing");
  expect(readImport("name,hostname,rack\na,b,c", NONE).ignored).toEqual(["rack"]);
});
