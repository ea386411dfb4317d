/** Colours and styles as terminals keep them: what is switched on stays on until it is switched off. Pure. */

export type Rgb = readonly [number, number, number];

/** A number is one of the 256 of a terminal: the first sixteen are the palette's. */
export type Colour = number | Rgb;

export interface Ink {
  readonly fg: Colour | null;
  readonly bg: Colour | null;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly strike: boolean;
  readonly reverse: boolean;
}

export const ORDINARY: Ink = {
  fg: null, bg: null, bold: false, dim: false, italic: false, underline: false, strike: false, reverse: false,
};

const STYLES: Readonly<Record<number, Partial<Ink>>> = {
  1: { bold: true }, 2: { dim: true }, 3: { italic: true }, 4: { underline: true }, 7: { reverse: true }, 9: { strike: true },
  21: { underline: true }, 22: { bold: false, dim: false }, 23: { italic: false }, 24: { underline: false }, 27: { reverse: false },
  29: { strike: false }, 39: { fg: null }, 49: { bg: null },
};

const isByte = (value: number | undefined): value is number => value !== undefined && value >= 0 && value <= 255;

/** What follows 38 or 48, and how many numbers of it were used. */
const extended = (codes: readonly number[], at: number): { colour: Colour | null; used: number } => {
  if (codes[at] === 5) return { colour: isByte(codes[at + 1]) ? (codes[at + 1] ?? null) : null, used: 2 };
  if (codes[at] !== 2) return { colour: null, used: 1 };
  const [r, g, b] = codes.slice(at + 1, at + 4);
  return { colour: isByte(r) && isByte(g) && isByte(b) ? [r, g, b] : null, used: 4 };
};

/** One of the sixteen that a code names outright: 30–37 and 90–97, for the ground ten more. */
const named = (code: number): Partial<Ink> => {
  if (code >= 30 && code <= 37) return { fg: code - 30 };
  if (code >= 90 && code <= 97) return { fg: code - 82 };
  if (code >= 40 && code <= 47) return { bg: code - 40 };
  if (code >= 100 && code <= 107) return { bg: code - 92 };
  return {};
};

/** `38:2::r:g:b` is `38;2;r;g;b` with a colour space in between; `4:0` is no underline at all. */
const codesOf = (text: string): number[] =>
  text.split(";").flatMap((part) => {
    if (!part.includes(":")) return [Number(part)];
    const parts = part.split(":");
    if (parts[0] === "4") return [parts[1] === "0" ? 24 : 4];
    if (parts[1] === "2" && parts.length > 5) parts.splice(2, 1);
    return parts.map(Number);
  });

/** `ink` after `CSI text m`. */
export const inked = (ink: Ink, text: string): Ink => {
  const codes = codesOf(text);
  let now = ink;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 0) now = ORDINARY;
    else if (code === 38 || code === 48) {
      const { colour, used } = extended(codes, at + 1);
      if (colour !== null) now = { ...now, [code === 38 ? "fg" : "bg"]: colour };
      at += used;
    } else now = { ...now, ...(STYLES[code] ?? named(code)) };
  }
  return now;
};

// CSI … m
const SEQUENCE = /\x1b\[([0-9;:]*)m/g;

/** `ink` as a text leaves it. */
export const inkAfter = (ink: Ink, text: string): Ink => {
  if (!text.includes("\x1b[")) return ink;
  let now = ink;
  for (const [, codes = ""] of text.matchAll(SEQUENCE)) now = inked(now, codes);
  return now;
};

/** A text cut where its ink changes. */
export const inkedParts = (ink: Ink, text: string): { ink: Ink; text: string }[] => {
  const parts: { ink: Ink; text: string }[] = [];
  let now = ink;
  let from = 0;
  for (const found of text.matchAll(SEQUENCE)) {
    if (found.index > from) parts.push({ ink: now, text: text.slice(from, found.index) });
    now = inked(now, found[1] ?? "");
    from = found.index + found[0].length;
  }
  if (from < text.length) parts.push({ ink: now, text: text.slice(from) });
  return parts;
};
