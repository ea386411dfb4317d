/** What the stages of a connection test are called. Total: a new stage does not compile until it stands here. */
import type { ConnectionTest } from "@/features/targets/api";

export type Stage = ConnectionTest["stages"][number];

export const STAGE: Readonly<Record<Stage["stage"], { word: string; asks: string }>> = {
  dns: { word: "Name", asks: "Does the name lead to an address?" },
  tcp: { word: "Connection", asks: "Does the port answer?" },
  tls: { word: "Certificate", asks: "Is it the machine it says it is?" },
  host_key: { word: "Host key", asks: "Is it the machine it says it is?" },
  auth: { word: "Sign-in", asks: "Is the account let in?" },
  command: { word: "Command", asks: "Can the account run something?" },
};

const BY_TRANSPORT: Readonly<Record<ConnectionTest["transport"], readonly Stage["stage"][]>> = {
  winrm: ["dns", "tcp", "tls", "auth", "command"],
  ssh: ["dns", "tcp", "host_key", "auth", "command"],
};

/** The stages a test will go through, before it says so itself. */
export const stagesOf = (transport: ConnectionTest["transport"]): readonly Stage["stage"][] => BY_TRANSPORT[transport];

/** `40 ms`, `1.2 s`. */
export const took = (ms: number): string => (ms < 1_000 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1_000).toFixed(1)} s`);

/** A hex fingerprint in the pairs that browsers and openssl print: what people compare by eye. */
export const pairs = (hex: string): string => hex.toUpperCase().match(/.{1,2}/g)?.join(":") ?? "";
