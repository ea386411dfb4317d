/** A password for one use, to be told to somebody: no letters that look alike, in groups that can be read out. */
const LETTERS = "abcdefghjkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXY3479";
const GROUPS = 5;
const SIZE = 4;

const letter = (): string => {
  // Numbers past the last whole multiple would make some letters likelier.
  const fair = 256 - (256 % LETTERS.length);
  for (;;) {
    const [byte = 255] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < fair) return LETTERS.charAt(byte % LETTERS.length);
  }
};

/** About 111 bits. */
export const oneTimePassword = (): string =>
  Array.from({ length: GROUPS }, () => Array.from({ length: SIZE }, letter).join("")).join("-");
