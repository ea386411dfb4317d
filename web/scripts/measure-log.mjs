// How long the log of a run takes in a browser, beside a plain fetch of the same bytes in the same browser.
//
// node scripts/measure-log.mjs <run> [word]   with OPS_WEB_URL and OPS_WEB_PASSWORD of a running system
import { openBrowser, openContext, openPage, settings } from "../e2e/support/browser.mjs";
import { login } from "../e2e/support/login.mjs";

const [run, word = "ERROR"] = process.argv.slice(2);
if (!run) {
  console.error("Name the run to look at.");
  process.exit(2);
}
const TRIES = 3;
const LIMIT = { timeout: 120_000 };
const { url, ...who } = settings();
const middle = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const count = (text) => Number((text ?? "").replaceAll(/\D/g, ""));

/** Milliseconds since the page began until `seen` holds, looked at with every frame. */
const when = (page, seen, argument) =>
  page.waitForFunction(seen, argument, { ...LIMIT, polling: "raf" }).then(() => page.evaluate(() => performance.now()));

const wholeLog = (page) =>
  page.evaluate(async (id) => {
    const refresh_token = localStorage.getItem("ops.refresh");
    const json = { "content-type": "application/json" };
    const tokens = await (await fetch("/api/refresh", { method: "POST", headers: json, body: JSON.stringify({ refresh_token }) })).json();
    localStorage.setItem("ops.refresh", tokens.refresh_token);
    const began = performance.now();
    const answer = await fetch(`/api/v1/runs/${id}/log?format=jsonl`, { headers: { authorization: `Bearer ${tokens.access_token}` }, cache: "no-store" });
    const bytes = (await answer.arrayBuffer()).byteLength;
    return { took: performance.now() - began, bytes };
  }, run);

const browser = await openBrowser();
const figures = { page: [], first: [], whole: [], find: [], fetch: [] };
let lines = 0;
let bytes = 0;
let hits = "";
try {
  const page = await openPage(await openContext(browser, { url }));
  await login(page, who);
  for (let tried = 0; tried < TRIES; tried += 1) {
    await page.goto("/me");
    await page.locator("h1").first().waitFor();
    const plain = await wholeLog(page);
    bytes = plain.bytes;
    figures.fetch.push(plain.took);

    await page.goto(`/runs/${run}?tab=parameters`, { waitUntil: "commit" });
    figures.page.push(await when(page, () => document.querySelector("[role=tabpanel] table")));

    await page.goto(`/runs/${run}`, { waitUntil: "commit" });
    figures.first.push(await when(page, () => document.querySelector("[data-text]")?.textContent));
    figures.whole.push(await when(page, () => document.querySelector("[data-testid=line-count]:not([data-counting])")));
    lines = count(await page.getByTestId("line-count").textContent());

    await page.keyboard.press("Control+f");
    await page.keyboard.insertText(word);
    figures.find.push(
      await page.evaluate(async () => {
        const began = performance.now();
        while (!/\/|^0 found/.test(document.querySelector("[data-testid=found]")?.textContent ?? "")) await new Promise((wake) => requestAnimationFrame(wake));
        return performance.now() - began;
      }),
    );
    hits = (await page.getByTestId("found").textContent()) ?? "";
  }
  await page.context().close();
} finally {
  await browser.close();
}
const [shown, first, whole, find, fetched] = [figures.page, figures.first, figures.whole, figures.find, figures.fetch].map(middle);
console.log(`${lines.toLocaleString("en")} lines, ${(bytes / 1e6).toFixed(1)} MB as JSON lines; “${word}”: ${hits}`);
console.log(`first line ${first.toFixed(0)} ms (${(first / shown).toFixed(2)} × the same page without its log) · all lines ${whole.toFixed(0)} ms (${(whole / fetched).toFixed(2)} × plain fetch) · find ${find.toFixed(0)} ms · plain fetch ${fetched.toFixed(0)} ms`);
