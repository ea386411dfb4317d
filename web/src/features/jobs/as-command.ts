/** The same run as a line for a shell. Secrets are left out: they belong into no history. Pure. */
import type { RunWish, Targets } from "./api";
import { isList, type Parameter } from "@/ui/parameters/model";

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`);

const withoutSecrets = (wish: RunWish, parameters: readonly Parameter[]): Record<string, unknown> => {
  const secret = new Set(parameters.filter(({ type }) => type === "secret").map(({ name }) => name));
  return Object.fromEntries(Object.entries(wish.parameters).filter(([name]) => !secret.has(name)));
};

const targetWords = (targets: Targets): string[] =>
  targets === null || (typeof targets === "object" && "query" in targets) ? [] : [targets].flat().flatMap((name) => ["-t", quoted(name)]);

/** A list is given item by item, an empty one as nothing. */
const given = (value: unknown): string[] => (isList(value) ? (value.length === 0 ? [""] : [...value]) : [String(value)]);

/** Null when the command line cannot say it: it takes names of targets, no query. */
export const asCli = (jobName: string, wish: RunWish, parameters: readonly Parameter[]): string | null => {
  if (wish.targets !== null && typeof wish.targets === "object" && "query" in wish.targets) return null;
  const values = Object.entries(withoutSecrets(wish, parameters)).flatMap(([name, value]) => given(value).flatMap((one) => ["-p", quoted(`${name}=${one}`)]));
  return ["opsconductor", "run", quoted(jobName), ...values, ...targetWords(wish.targets), "--follow"].join(" ");
};

export const asCurl = (origin: string, jobId: string, wish: RunWish, parameters: readonly Parameter[]): string => {
  const body = { parameters: withoutSecrets(wish, parameters), ...(wish.targets === null ? {} : { targets: wish.targets }) };
  return [
    `curl -X POST ${quoted(`${origin}/api/v1/jobs/${jobId}/run`)}`,
    `-H "authorization: Bearer $OPS_TOKEN"`,
    "-H 'content-type: application/json'",
    `-H "idempotency-key: $(uuidgen)"`,
    `-d ${quoted(JSON.stringify(body))}`,
  ].join(" \\\n  ");
};

/** Secrets that have to be added by hand. */
export const leftOut = (parameters: readonly Parameter[]): string[] => parameters.filter(({ type }) => type === "secret").map(({ name }) => name);
