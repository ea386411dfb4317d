/** 128 random bits as hex. (`crypto.randomUUID` exists only on secure origins; a plain-http gateway is none.) */
export const randomKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** What people read of an id: its end, which in a time-ordered UUID is the random part. */
export const shortId = (id: string): string => id.slice(-8);
