import { expect, test } from "vitest";

import { contrast, GROUND, PALETTE, piecesOf, readable, withMatches } from "./ansi";
import { Finder, firstFrom, matchAt, patternOf } from "./find";
import { chosen, hashOf, rangeOf } from "./hash";
import { type Chunk, harmless, isGapMarker, LogLines, plain, settled } from "./lines";
import type { Rgb } from "./sgr";

const chunk = (data: string, more: Partial<Chunk> = {}): Chunk => ({
  id: null, task_id: "t1", step: "s", target: "web-1", attempt: 1, stream: "stdout", seq: 0, time: "2026-01-01T00:00:00Z", data, ...more,
});
/** The chunks numbered as the executor numbers them. */
const linesOf = (...chunks: Chunk[]): LogLines => {
  const log = new LogLines();
  for (const each of chunks) log.add({ ...each, seq: log.expected(each) ?? 0 });
  return log;
};
const texts = (log: LogLines): string[] => log.lines.map(({ text }) => text);

test("a line that is cut by the border of a chunk is one line", () => {
  expect(texts(linesOf(chunk("one\ntw"), chunk("o\nthree")))).toEqual(["one", "two", "three"]);
});

test("streams that print between one another keep their own lines, where they began", () => {
  const log = linesOf(chunk("out "), chunk("err\n", { stream: "stderr" }), chunk("done\n"), chunk("x", { task_id: "t2", target: "web-2" }));
  expect(texts(log)).toEqual(["out done", "err", "x"]);
  expect(log.lines.map(({ source }) => `${source.target ?? ""} ${source.stream}`)).toEqual(["web-1 stdout", "web-1 stderr", "web-2 stdout"]);
});

test("a chunk that is told twice counts once", () => {
  const log = new LogLines();
  const first = chunk("a\n");
  expect([log.add(first), log.add({ ...first, seq: 1, data: "b\n" }), log.add(first)]).toEqual([true, true, false]);
  expect(texts(log)).toEqual(["a", "b"]);
  expect(log.expected(first)).toBe(2);
});

test("however text is cut into chunks, the lines are the same", () => {
  const text = "alpha\n\nbeta\r\n\x1b[31mgamma\x1b[0m\nlast";
  const whole = texts(linesOf(chunk(text)));
  for (let size = 1; size < text.length; size += 1) {
    const parts = Array.from({ length: Math.ceil(text.length / size) }, (_, part) => chunk(text.slice(part * size, (part + 1) * size)));
    expect(texts(linesOf(...parts))).toEqual(whole);
  }
});

test("lines that may still grow are not firm", () => {
  const log = linesOf(chunk("a\nb\nc"), chunk("d\ne\n", { task_id: "t2" }));
  expect([log.count, log.firm]).toEqual([5, 2]);
  log.add(chunk("\n", { seq: 1 }));
  expect(log.firm).toBe(5);
});

test("a progress line shows its last state, and a Windows line break nothing", () => {
  expect(settled("10 %\r55 %\r100 %")).toBe("100 %");
  expect(settled("plain\r")).toBe("plain");
});

test("what would move, hide or turn text around is taken out or made visible", () => {
  expect(harmless("a\x1b[2Jb\x1b]8;;http://evil\x07link\x1b]8;;\x07\x00\x07")).toBe("ablink␀␇");
  expect(plain("\x1b[1;31mred\x1b[0m <b>\u202Etxt.exe")).toBe("red <b>⟨U+202E⟩txt.exe");
});

test("the executor's own words about missing output are recognised", () => {
  expect(["[123 bytes left out here]", "[output missing here: the connection broke]", "[123 apples]"].map(isGapMarker)).toEqual([true, true, false]);
});

test("find counts every match of all lines, and goes on with what is new", () => {
  const log = linesOf(chunk("Error error\nfine\nan ERR"));
  const finder = new Finder();
  expect(finder.find("error", log.lines, log.firm)).toEqual({ lines: [0], before: [0], total: 2 });
  log.add(chunk("or at last\n", { seq: 1 }));
  const found = finder.find("error", log.lines, log.firm);
  expect(found).toEqual({ lines: [0, 2], before: [0, 2], total: 3 });
  expect([0, 1, 2, 3].map((index) => matchAt(found, index))).toEqual([{ line: 0, nth: 0 }, { line: 0, nth: 1 }, { line: 2, nth: 0 }, null]);
  expect([firstFrom(found, 0), firstFrom(found, 1), firstFrom(found, 3)]).toEqual([0, 2, 0]);
});

test("a question is text, not a pattern, and ignores colours in between", () => {
  const log = linesOf(chunk("a.c abc\n\x1b[31ma\x1b[0m.c\n"));
  expect(new Finder().find("A.C", log.lines, log.firm).total).toBe(2);
});

test("100,000 lines are looked through in a fraction of a second", () => {
  const log = new LogLines();
  log.add(chunk(Array.from({ length: 100_000 }, (_, line) => `line ${line} Get-Service Spooler \x1b[32mRunning\x1b[0m`).join("\n")));
  expect(new Finder().find("99999", log.lines, log.firm).total).toBe(1);
});

test("colours become pieces, and hostile text stays text", () => {
  const [first, second] = piecesOf("\x1b[1;31m<img src=x>\x1b[0m ok");
  expect(first).toMatchObject({ text: "<img src=x>", bold: true, fg: "rgb(255 123 114)" });
  expect(second).toMatchObject({ text: " ok", fg: null });
});

test("every colour of the palette can be read on the ground, and any other is moved until it can", () => {
  for (const colour of PALETTE) expect(contrast(colour, GROUND)).toBeGreaterThanOrEqual(4.5);
  for (const [ink, ground] of [[[0, 0, 40], GROUND], [[200, 200, 0], [255, 255, 255]], [[120, 120, 120], [128, 128, 128]]] as [Rgb, Rgb][])
    expect(contrast(readable(ink, ground), ground)).toBeGreaterThanOrEqual(4.5);
  for (let code = 40; code <= 47; code += 1) {
    const [piece] = piecesOf(`\x1b[37;${code}mx\x1b[0m`);
    const rgb = (text: string | null | undefined): Rgb => (text ?? "").match(/\d+/g)?.map(Number) as unknown as Rgb;
    expect(contrast(rgb(piece?.fg), rgb(piece?.bg))).toBeGreaterThanOrEqual(4.5);
  }
});

test("a match is marked also where colours change in the middle of it", () => {
  const pattern = patternOf("abcd");
  expect(pattern && withMatches(piecesOf("xab\x1b[31mcd\x1b[0my"), pattern).map(({ text, hit }) => [text, hit])).toEqual([["x", null], ["ab", 0], ["cd", 0], ["y", null]]);
});

test("lines in an address are read, written and stretched", () => {
  expect([rangeOf("#L40-L44"), rangeOf("L7"), rangeOf("#L9-L3"), rangeOf("#L0"), rangeOf("#top")]).toEqual([{ from: 40, to: 44 }, { from: 7, to: 7 }, { from: 3, to: 9 }, null, null]);
  expect([hashOf({ from: 3, to: 3 }), hashOf({ from: 3, to: 9 })]).toEqual(["L3", "L3-L9"]);
  expect([chosen(null, 5, true), chosen({ from: 5, to: 5 }, 9, true), chosen({ from: 5, to: 5 }, 2, true), chosen({ from: 5, to: 9 }, 7, false)]).toEqual([{ from: 5, to: 5 }, { from: 5, to: 9 }, { from: 2, to: 5 }, { from: 7, to: 7 }]);
});
