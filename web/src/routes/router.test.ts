import { expect, test } from "vitest";

import { OPEN_ROUTES, ROUTES } from "../../e2e/support/routes.mjs";
import { router } from "./router";

test("every route is looked at by the checks in a browser, and only those that there are", () => {
  const looked = new Set([...OPEN_ROUTES, ...ROUTES].map(({ route }) => route).filter((route) => route !== "*"));

  expect([...looked].sort()).toEqual(Object.keys(router.routesByPath).sort());
});
