/** Find over all lines, also while more come: only what is new is looked through. Pure. */
import { type Line, read } from "./lines";

export interface Found {
  /** Lines with at least one match, in order. */
  lines: readonly number[];
  /** Matches before each of those lines. */
  before: readonly number[];
  total: number;
}

export interface Match {
  line: number;
  /** Which match within its line, from 0. */
  nth: number;
}

export const NOTHING: Found = { lines: [], before: [], total: 0 };

/** Ignores case. Null for an empty question. */
export const patternOf = (question: string): RegExp | null =>
  question === "" ? null : new RegExp(question.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu");

const count = (text: string, pattern: RegExp): number => {
  pattern.lastIndex = 0;
  let found = 0;
  while (pattern.test(text)) found += 1;
  return found;
};

export class Finder {
  private pattern: RegExp | null = null;
  private question = "";
  private lines: number[] = [];
  private before: number[] = [];
  private total = 0;
  private seen = 0;
  private owner: readonly Line[] | null = null;

  /** `firm`: lines before it do not change any more, so they need no second look. */
  find(question: string, lines: readonly Line[], firm: number): Found {
    if (question !== this.question || lines !== this.owner || lines.length < this.seen) this.begin(question, lines);
    const { pattern } = this;
    if (!pattern) return NOTHING;
    for (let index = this.seen; index < lines.length; index += 1) {
      const line = lines[index];
      const matches = line ? count(read(line), pattern) : 0;
      if (matches === 0) continue;
      this.lines.push(index);
      this.before.push(this.total);
      this.total += matches;
    }
    const found = { lines: this.lines.slice(), before: this.before.slice(), total: this.total };
    this.forgetFrom(Math.min(firm, lines.length));
    return found;
  }

  private begin(question: string, lines: readonly Line[]): void {
    this.question = question;
    this.pattern = patternOf(question);
    this.owner = lines;
    this.lines = [];
    this.before = [];
    this.total = 0;
    this.seen = 0;
  }

  /** Lines that may still grow are looked at again next time. */
  private forgetFrom(index: number): void {
    this.seen = index;
    while ((this.lines.at(-1) ?? -1) >= index) {
      this.lines.pop();
      this.total = this.before.pop() ?? 0;
    }
  }
}

/** The line of match number `index` of all, and which one in that line it is. */
export const matchAt = (found: Found, index: number): Match | null => {
  if (index < 0 || index >= found.total) return null;
  let low = 0;
  let high = found.lines.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((found.before[middle] ?? 0) <= index) low = middle;
    else high = middle - 1;
  }
  return { line: found.lines[low] ?? 0, nth: index - (found.before[low] ?? 0) };
};

/** The number of the first match at or after a line; the first of all when there is none. */
export const firstFrom = (found: Found, line: number): number => {
  const at = found.lines.findIndex((each) => each >= line);
  return at < 0 ? 0 : (found.before[at] ?? 0);
};
