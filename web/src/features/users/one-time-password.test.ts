import { expect, test } from "vitest";

import { oneTimePassword } from "./one-time-password";

test("a one-time password can be read out and is never the same", () => {
  const many = Array.from({ length: 200 }, oneTimePassword);
  expect(new Set(many).size).toBe(200);
  for (const each of many) expect(each).toMatch(/^([a-zA-Z3479]{4}-){4}[a-zA-Z3479]{4}$/);
  expect(many.join("")).not.toMatch(/[ilIO0o1BS]/);
});
