import { Code, Text } from "@mantine/core";

import { Keyed } from "@/ui/keyed";
import { Ago } from "@/ui/time";

import type { Target } from "./api";

const isPlain = (value: unknown): value is string | number | boolean => ["string", "number", "boolean"].includes(typeof value);

/** One fact in a line: `4`, `10.0.0.1, fe80::1`, `mount=/, free_gb=12`. */
const wordsOf = (value: unknown): string => {
  if (value === null || value === undefined) return "–";
  if (isPlain(value)) return String(value);
  if (Array.isArray(value)) return value.map(wordsOf).join(value.every(isPlain) ? ", " : "; ");
  return Object.entries(value).map(([name, each]) => `${name}=${wordsOf(each)}`).join(", ");
};

const titleOf = (name: string): string => name.replaceAll("_", " ");

/** What a `facts` step found out last. */
export const Facts = ({ target: { facts, facts_at } }: { target: Target }) => {
  if (facts === null || Object.keys(facts).length === 0)
    return <Text c="dimmed">Nobody has looked yet. A step of the type <Code>facts</Code> collects system, memory, disks and addresses, which queries can then ask for.</Text>;
  return (
    <>
      <Text size="sm" c="dimmed" mb={4}>Collected <Ago at={facts_at} /></Text>
      <Keyed rows={Object.entries(facts).map(([name, value]) => [titleOf(name), wordsOf(value)] as const)} />
    </>
  );
};
