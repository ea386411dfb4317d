// Checks what the browser has to load, compressed, against what we allow ourselves.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const KB = 1000;
const ENTRY = 200 * KB;
const EDITOR = 180 * KB;
const ROUTE = 100 * KB;
const FILES = 40;

const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));
const sizes = new Map();

const sizeOf = (file) => {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(new URL(file, dist))).length);
  return sizes.get(file);
};

/** Every script that loads together with `key`: itself and what it imports at once. */
const closure = (key, seen = new Set()) => {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) closure(next, seen);
  return seen;
};

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const atStart = closure(entry);
const total = (keys) => [...keys].reduce((sum, key) => sum + sizeOf(manifest[key].file), 0);

let failed = false;
const check = (name, size, limit) => {
  const over = size > limit;
  failed ||= over;
  console.log(`${over ? "TOO BIG" : "ok     "} ${(size / KB).toFixed(1).padStart(6)} kB of ${limit / KB}  ${name}`);
};

/** Without HTTP/2 a browser asks for six files at a time: many small ones make a page slow. */
const checkFiles = (name, count) => {
  if (count <= FILES) return;
  failed = true;
  console.log(`TOO MANY ${count} scripts, at most ${FILES}  ${name}`);
};

const shell = new Set([...atStart, ...closure("src/routes/shell-layout.tsx")]);

check("entry", total(atStart), ENTRY);
for (const key of Object.keys(manifest)) {
  if (!manifest[key].isDynamicEntry) continue;
  const before = key === "src/routes/shell-layout.tsx" ? atStart : shell;
  const own = [...closure(key)].filter((part) => !before.has(part));
  checkFiles(key, new Set([...shell, ...own]).size);
  check(key, total(own), /editor|^src\/ui\/code\//i.test(key) ? EDITOR : ROUTE);
}
process.exit(failed ? 1 : 0);
