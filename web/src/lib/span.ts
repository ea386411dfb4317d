import { duration } from "./time";

/** `no time`, `12 s`, `3 min 04 s` of seconds; a dash for null. */
export const age = (seconds: number | null): string => (seconds === null ? "–" : duration(seconds * 1_000));

/** `1 run`, `3 runs`: the noun in its right form. `many` where an s is not enough. */
export const count = (number: number, one: string, many = `${one}s`): string => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
