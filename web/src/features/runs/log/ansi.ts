/** Colours of a line of output, as pieces to show. The palette keeps 4.5 : 1 on the dark ground. Pure. */
import { harmless, settledParts } from "./lines";
import { type Colour, type Ink, inkAfter, inkedParts, ORDINARY, type Rgb } from "./sgr";

export interface Piece {
  text: string;
  /** CSS colours; null is the ordinary one. */
  fg: string | null;
  bg: string | null;
  bold: boolean;
  italic: boolean;
  underline: boolean;
  strike: boolean;
}

export const GROUND: Rgb = [13, 17, 23];
/** The lightest that a line without a ground of its own lies on: that of a chosen line. */
const LIT: Rgb = [42, 39, 24];
const INK: Rgb = [220, 226, 233];
const LEAST = 4.5;

/** The sixteen of a terminal, brightened where they could not be read on the ground. */
export const PALETTE: readonly Rgb[] = [
  [139, 148, 158], [255, 123, 114], [86, 211, 100], [227, 179, 65], [121, 184, 255], [210, 153, 255], [86, 212, 221], [220, 226, 233],
  [160, 169, 179], [255, 161, 152], [126, 231, 135], [242, 204, 96], [165, 214, 255], [226, 197, 255], [127, 228, 236], [255, 255, 255],
];

/** The same sixteen as grounds, as terminals have them. */
const BACKS: readonly Rgb[] = [
  [0, 0, 0], [187, 0, 0], [0, 187, 0], [187, 187, 0], [0, 0, 187], [187, 0, 187], [0, 187, 187], [255, 255, 255],
  [85, 85, 85], [255, 85, 85], [0, 255, 0], [255, 255, 85], [85, 85, 255], [255, 85, 255], [85, 255, 255], [255, 255, 255],
];

const linear = (part: number): number => {
  const value = part / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
};

const luminance = ([r, g, b]: Rgb): number => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);

/** WCAG 2.1 contrast ratio, 1 to 21. */
export const contrast = (one: Rgb, other: Rgb): number => {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
};

/** `ink`, moved towards white or black until it can be read on `ground`. */
export const readable = (ink: Rgb, ground: Rgb): Rgb => {
  const towards = luminance(ground) > 0.18 ? 0 : 255;
  let colour = ink;
  for (let step = 1; step <= 10 && contrast(colour, ground) < LEAST; step += 1)
    colour = ink.map((part) => Math.round(part + ((towards - part) * step) / 10)) as unknown as Rgb;
  return colour;
};

const LEVELS = [0, 95, 135, 175, 215, 255] as const;

const level = (index: number): number => LEVELS[index % 6] ?? 0;

/** Of the 256 of a terminal: sixteen of the palette, a cube of 216, 24 greys. */
const rgbOf = (colour: Colour, sixteen: readonly Rgb[]): Rgb => {
  if (typeof colour !== "number") return colour;
  if (colour < 16) return sixteen[colour] ?? INK;
  if (colour >= 232) {
    const grey = 8 + 10 * (colour - 232);
    return [grey, grey, grey];
  }
  const place = colour - 16;
  return [level(Math.floor(place / 36)), level(Math.floor(place / 6)), level(place)];
};

const css = (colour: Rgb): string => `rgb(${colour.join(" ")})`;

const faded = (ink: Rgb, ground: Rgb): Rgb => ink.map((part, index) => Math.round(part * 0.75 + (ground[index] ?? 0) * 0.25)) as unknown as Rgb;

const pieceOf = (text: string, ink: Ink): Piece => {
  const front = ink.fg === null ? null : rgbOf(ink.fg, PALETTE);
  const back = ink.bg === null ? null : rgbOf(ink.bg, BACKS);
  const [own, ground] = ink.reverse ? [back ?? GROUND, front ?? INK] : [front, back];
  const on = ground ?? GROUND;
  const colour = ink.dim ? faded(own ?? INK, on) : own;
  const { bold, italic, underline, strike } = ink;
  return {
    text: text.replaceAll(ESCAPE, "␛"),
    fg: colour || ground ? css(readable(colour ?? INK, ground ?? LIT)) : null,
    bg: ground ? css(ground) : null,
    bold, italic, underline, strike,
  };
};

const ESCAPE = "\x1b";

/** The pieces of a line as it was printed, begun with the ink that the lines before it left. Nothing in them is markup. */
export const piecesOf = (text: string, ink: Ink = ORDINARY): Piece[] => {
  const { before, shown } = settledParts(text);
  const parts = inkedParts(inkAfter(ink, before), harmless(shown));
  return parts.length === 0 ? [pieceOf("", ORDINARY)] : parts.map((part) => pieceOf(part.text, part.ink));
};

/** Pieces cut so that each match of `pattern` begins and ends with one; `hit` counts matches from 0. */
export const withMatches = (pieces: readonly Piece[], pattern: RegExp): (Piece & { hit: number | null })[] => {
  const text = pieces.map((piece) => piece.text).join("");
  const spans = Array.from(text.matchAll(pattern), (match) => [match.index, match.index + match[0].length] as const);
  const result: (Piece & { hit: number | null })[] = [];
  let start = 0;
  for (const piece of pieces) {
    const end = start + piece.text.length;
    let at = start;
    spans.forEach(([from, to], hit) => {
      if (to <= at || from >= end) return;
      if (from > at) result.push({ ...piece, text: text.slice(at, from), hit: null });
      at = Math.max(at, from);
      const stop = Math.min(to, end);
      result.push({ ...piece, text: text.slice(at, stop), hit });
      at = stop;
    });
    if (at < end || piece.text === "") result.push({ ...piece, text: text.slice(at, end), hit: null });
    start = end;
  }
  return result;
};
