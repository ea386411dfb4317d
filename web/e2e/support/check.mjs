// What every file of checks shares: one browser, one person signed in who opens tab after tab, and pictures of what failed.
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import test, { after } from "node:test";

import { openApi } from "./api.mjs";
import { openBrowser, openContext, openPage, settings } from "./browser.mjs";

const PICTURES = process.env.OPS_WEB_PICTURES ?? join(tmpdir(), "opsconductor-e2e");
const FILE = basename(process.argv[1], ".mjs");
const WITHIN = 240_000;
/** For what the check itself needs no more time for: the picture, and closing its tabs. */
const AFTERWARDS = 40_000;

/** Waits for what the page does not tell by an element; the bound is generous, for busy machines. */
export const until = async (what, within = 60_000) => {
  for (const limit = Date.now() + within; Date.now() < limit; await new Promise((wake) => setTimeout(wake, 100))) if (await what()) return;
  throw new Error(`Not within ${within} ms: ${what}`);
};

const inTime = async (work, within) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`This was not done within ${within} ms.`)), within);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
};

const pictures = async (pages, name) => {
  mkdirSync(PICTURES, { recursive: true });
  const slug = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").slice(0, 60);
  const taken = [];
  for (const [index, page] of pages.entries()) {
    const path = join(PICTURES, `${FILE}-${slug}-${index + 1}.png`);
    await page.screenshot({ path, timeout: 5_000 }).then(() => taken.push(`${path} (${page.url()})`), () => undefined);
  }
  return taken;
};

/** What went wrong and where, what could be seen, and what the console said: each once. */
const failure = (error, taken, complaints) => {
  const place = error.stack?.split("\n").find((line) => line.includes("/e2e/") && !line.includes("/support/check.mjs"));
  const told = [error.message, place, ...taken.map((path) => `Picture: ${path}`), ...new Set(complaints.map((text) => `Console: ${text}`))];
  return Object.assign(new Error(), { stack: told.filter(Boolean).join("\n") });
};

/** In a `story` each check goes on where the one before it ended; so none comes after one that failed. */
export const checks = ({ story = false } = {}) => {
  const { url, ...who } = settings();
  let browser, home, api;
  const contexts = [];
  const pages = [];
  let broken = false;
  /** Pages that were opened before the first check: those go on from one to the next. */
  let kept;

  const theBrowser = async () => (browser ??= await openBrowser());
  const theApi = async () => (api ??= await openApi(url, who));
  const remembered = async (page) => {
    pages.push(page);
    return page;
  };

  /** A page in a browser that nobody has signed in with. */
  const stranger = async (options = {}) => {
    const context = await openContext(await theBrowser(), { url, ...options });
    contexts.push(context);
    return remembered(await openPage(context));
  };
  /** A page of somebody who signed in with a browser of their own. */
  const person = async (path, { username, password, ...options } = who) => {
    const { session } = await openApi(url, { username: username ?? who.username, password: password ?? who.password });
    const page = await stranger({ ...options, session });
    await page.goto(path);
    return page;
  };
  /** One more tab of the person whom all checks of a file share. */
  const tab = async (path) => {
    home ??= await openContext(await theBrowser(), { url, session: (await openApi(url, who)).session });
    const page = await remembered(await openPage(home));
    if (path !== undefined) await page.goto(path);
    return page;
  };
  /** Another tab beside this one. */
  const beside = async (page, path) => {
    const other = await remembered(await openPage(page.context()));
    await other.goto(path);
    return other;
  };

  /**
   * One promise. It fails also for what a page complained of meanwhile, but for what `bears` matches.
   * `skip` says why it cannot be checked here.
   */
  const check = (name, work, { within = WITHIN, bears = /^$/, skip = false } = {}) =>
    test(name, { timeout: within + AFTERWARDS, skip }, async (t) => {
      if (story && broken) return void t.skip("what it goes on from has failed");
      kept ??= pages.length;
      try {
        await inTime(work(t), within);
        const complaints = pages.flatMap((page) => page.complaints).filter((complaint) => !bears.test(complaint));
        if (complaints.length > 0) throw new Error("The page complained.");
      } catch (error) {
        broken = true;
        throw failure(error, await pictures(pages, name), pages.flatMap((page) => page.complaints));
      } finally {
        await Promise.all([...pages.splice(kept).map((page) => page.close()), ...contexts.splice(0).map((context) => context.close())]);
        for (const page of pages) page.complaints = [];
      }
    });

  after(() => browser?.close());
  return { check, tab, beside, person, stranger, theApi, url, who };
};
