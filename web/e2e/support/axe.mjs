// What axe-core finds wrong on a page, as lines to read; none is the goal.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** The rules whose answer depends on the colours; all others need one look at a page, whatever its scheme. */
export const COLOURS = { type: "rule", values: ["color-contrast", "link-in-text-block"] };

export const violations = async (page, runOnly = { type: "tag", values: RULES }) => {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(source);
  const { violations: found } = await page.evaluate((only) => window.axe.run(document, { runOnly: only, resultTypes: ["violations"] }), runOnly);
  return found.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${help}\n    ${target.join(" ")}\n    ${failureSummary}`));
};
