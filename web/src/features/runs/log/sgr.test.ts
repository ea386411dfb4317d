import { readFileSync } from "node:fs";

import fc from "fast-check";
import { expect, test } from "vitest";

import { contrast, PALETTE, piecesOf } from "./ansi";
import { type Chunk, LogLines } from "./lines";
import { inkAfter, inkedParts, ORDINARY, type Rgb } from "./sgr";

const RED = "rgb(255 123 114)";
const chunk = (data: string, more: Partial<Chunk> = {}): Chunk => ({
  id: null, task_id: "t1", step: "s", target: "web-1", attempt: 1, stream: "stdout", seq: 0, time: "2026-01-01T00:00:00Z", data, ...more,
});
const logOf = (...chunks: Chunk[]): LogLines => {
  const log = new LogLines();
  for (const each of chunks) log.add({ ...each, seq: log.expected(each) ?? 0 });
  return log;
};
/** Every line as text with the colour it begins with. */
const seen = (log: LogLines): string[] => log.lines.map(({ text, ink }) => piecesOf(text, ink).map((piece) => `${piece.fg ?? "-"} ${piece.text}`).join("|"));

test("a colour goes on over lines until it is switched off", () => {
  expect(seen(logOf(chunk("\x1b[31mone\ntwo\nthree\x1b[0m ok\nfour\n")))).toEqual([`${RED} one`, `${RED} two`, `${RED} three|-  ok`, "- four"]);
});

test("a colour goes on over the border of chunks, wherever that cuts", () => {
  const text = "\x1b[1;31mone\ntwo \x1b[32mgreen\n\x1b[0mthree\n";
  const whole = seen(logOf(chunk(text)));
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 6 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), text.length];
      const parts = places.slice(1).map((end, index) => chunk(text.slice(places[index], end)));
      expect(seen(logOf(...parts))).toEqual(whole);
    }),
  );
});

test("a colour stays within its stream, its attempt and its target", () => {
  const log = logOf(
    chunk("\x1b[31mred\n"), chunk("err\n", { stream: "stderr" }), chunk("again\n", { attempt: 2 }), chunk("other\n", { task_id: "t2", target: "web-2" }), chunk("still red\n"),
  );
  expect(seen(log)).toEqual([`${RED} red`, "- err", "- again", "- other", `${RED} still red`]);
});

test("what was printed over leaves its colour, as on a terminal", () => {
  expect(seen(logOf(chunk("\x1b[31m10 %\r20 %\n")))).toEqual([`${RED} 20 %`]);
});

test("sixteen, 256 and true colours are understood, with semicolons and with colons", () => {
  const fg = (codes: string) => inkAfter(ORDINARY, `\x1b[${codes}m`).fg;
  expect([fg("31"), fg("91"), fg("38;5;208"), fg("38:5:208"), fg("38;2;1;2;3"), fg("38:2::1:2:3"), fg("38:2:1:2:3")]).toEqual([1, 9, 208, 208, [1, 2, 3], [1, 2, 3], [1, 2, 3]]);
  expect(fg("31;38;5;999;1")).toBe(1);
  expect(inkAfter(ORDINARY, "\x1b[1;4;7;44m\x1b[22;24;27;49m")).toEqual(ORDINARY);
  expect(piecesOf("\x1b[48;5;16;38;5;231mx")[0]).toMatchObject({ fg: "rgb(255 255 255)", bg: "rgb(0 0 0)" });
});

test("an empty sequence resets, and nothing of a sequence is left in the text", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant("text"), fc.stringMatching(/^\[[0-9;:]{0,12}m$/).map((code) => `\x1b${code}`))), (parts) => {
      const shown = inkedParts(ORDINARY, parts.join("")).map(({ text }) => text).join("");
      expect(shown).toBe(parts.filter((part) => part === "text").join(""));
      expect(inkAfter(ORDINARY, `${parts.join("")}\x1b[m`)).toBe(ORDINARY);
    }),
  );
});

const channel = (hex: string): Rgb => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb;

test("all sixteen colours can be read on every ground a line of the log can have, also dimmed", () => {
  const style = readFileSync("src/features/runs/log/log.module.css", "utf8");
  const ground = (pattern: RegExp): Rgb => channel(pattern.exec(style)?.[1] ?? "");
  const grounds = [ground(/--log-ground: #(\w{6})/), ground(/\.line:hover \{ background: #(\w{6})/), ground(/\.line\[data-chosen\] \{ background: #(\w{6})/), ground(/p:target \{ background: #(\w{6})/)];
  for (const under of grounds) {
    for (const colour of PALETTE) expect(contrast(colour, under)).toBeGreaterThanOrEqual(4.5);
    for (let code = 0; code < 16; code += 1) {
      const [piece] = piecesOf(`\x1b[2;38;5;${code}mx`);
      expect(contrast((piece?.fg ?? "").match(/\d+/g)?.map(Number) as unknown as Rgb, under)).toBeGreaterThanOrEqual(4.5);
    }
  }
});
