import { expect, test } from "vitest";

import { pairs, took } from "./stage-words";

test.each([[0.2, "1 ms"], [39.6, "40 ms"], [1_240, "1.2 s"]])("%d ms are shown as %s", (ms, words) => expect(took(ms)).toBe(words));

test("a fingerprint is shown in the pairs that openssl prints", () => expect(pairs("ab01ff")).toBe("AB:01:FF"));
