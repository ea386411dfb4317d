/**
 * A part of the program itself that could not be fetched: the server is away, or was updated and has it no more.
 *
 * Browsers and the bundler remember what failed (a style sheet is asked for once), so a reload is what helps. It is
 * made by itself once for each part, never in a loop: a part that arrived may be reloaded for anew.
 */
const WORDS = "This page could not be loaded: OpsConductor cannot be reached, or was updated meanwhile.";

export class NotLoaded extends Error {
  override readonly name = "NotLoaded";

  constructor(
    readonly part: string,
    cause: unknown,
  ) {
    super(WORDS, { cause });
  }
}

const keyOf = (part: string): string => `ops.reloaded.${part}`;

const forget = (part: string): void => {
  try {
    sessionStorage.removeItem(keyOf(part));
  } catch {
    // there is no storage, so there is nothing to forget
  }
};

/** Loads a part; what goes wrong is told as `NotLoaded`. */
export const arriving = async <T>(part: string, load: () => Promise<T>): Promise<T> => {
  const arrived = await load().catch((error: unknown) => {
    throw new NotLoaded(part, error);
  });
  forget(part);
  return arrived;
};

/** Whether to reload for this part without being asked; true once, until it has arrived. */
export const mayReload = (part: string): boolean => {
  try {
    if (sessionStorage.getItem(keyOf(part)) !== null) return false;
    sessionStorage.setItem(keyOf(part), "yes");
    return true;
  } catch {
    return false; // nowhere to remember it: better never than in a loop
  }
};

/** Whether the server answers for this very address, so that a reload would not end at the browser's own error page. */
export const isServed = async (): Promise<boolean> => {
  try {
    return (await fetch(window.location.href, { method: "HEAD", cache: "no-store", headers: { accept: "text/html" } })).ok;
  } catch {
    return false;
  }
};
