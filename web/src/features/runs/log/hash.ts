/** `#L40-L44`: lines as they stand in an address. Pure. */

export interface Range {
  /** From 1, both included. */
  from: number;
  to: number;
}

export const rangeOf = (hash: string): Range | null => {
  const found = /^#?L(\d{1,9})(?:-L?(\d{1,9}))?$/.exec(hash);
  if (!found) return null;
  const [one, other] = [Number(found[1]), Number(found[2] ?? found[1])];
  return one < 1 || other < 1 ? null : { from: Math.min(one, other), to: Math.max(one, other) };
};

export const hashOf = ({ from, to }: Range): string => (from === to ? `L${from}` : `L${from}-L${to}`);

/** What a click on a line number chooses; with shift everything up to it. */
export const chosen = (known: Range | null, line: number, shift: boolean): Range =>
  shift && known ? { from: Math.min(known.from, line), to: Math.max(known.from === line ? known.to : line, known.from) } : { from: line, to: line };
