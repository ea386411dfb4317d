/** How the help of causes is found and read. Pure. */
import type { CauseHelp } from "./api";

/** Causes in which every word of what was typed is found. */
export const found = (causes: readonly CauseHelp[], typed: string): CauseHelp[] => {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return causes.filter(({ code, title, message, why }) => {
    const text = `${code} ${title} ${message} ${why}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
};

/** By group, in the order in which they come. */
export const grouped = (causes: readonly CauseHelp[]): [string, CauseHelp[]][] => {
  const groups = new Map<string, CauseHelp[]>();
  for (const cause of causes) groups.set(cause.group, [...(groups.get(cause.group) ?? []), cause]);
  return [...groups];
};

/** "`timeoutSec` of the step", "`winrm.port` of the target", "`OPS_SLOTS` of the system". */
export const placeOf = (setting: string): { name: string; of: string } => {
  const [of, ...rest] = setting.split(".");
  return of === "step" || of === "target" ? { name: rest.join("."), of: `of the ${of}` } : { name: setting, of: "of the system" };
};

/** A text with `code` in it, as its parts. */
export const parts = (text: string): { text: string; code: boolean }[] =>
  text.split("`").map((part, index) => ({ text: part, code: index % 2 === 1 })).filter((part) => part.text !== "");
