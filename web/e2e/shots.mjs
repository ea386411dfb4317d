// Pictures of every page: light and dark, 1440 and 375 pixels wide. `npm run shots -- <folder>`
import { mkdirSync } from "node:fs";

import { openApi } from "./support/api.mjs";
import { openBrowser, openContext, openPage, settings } from "./support/browser.mjs";
import { OPEN_ROUTES, ROUTES, settle } from "./support/routes.mjs";

const folder = process.argv[2] ?? "shots";
const only = process.argv[3];
mkdirSync(folder, { recursive: true });

const { url, ...who } = settings();
const browser = await openBrowser();
const api = await openApi(url, who);
try {
  for (const scheme of ["light", "dark"])
    for (const width of [1440, 375]) {
      const { session } = await openApi(url, who);
      const shoot = async (context, routes) => {
        const page = await openPage(context);
        for (const { name, path } of routes) {
          const address = !only || name.startsWith(only) ? await path(api) : undefined;
          if (!address) continue;
          await page.goto(address);
          await settle(page);
          await page.screenshot({ path: `${folder}/${name}-${scheme}-${width}.png` });
        }
        for (const complaint of page.complaints) console.log(`${scheme} ${width}: ${complaint}`);
        await context.close();
      };
      const look = { url, scheme, width, height: width > 500 ? 900 : 720 };
      await shoot(await openContext(browser, look), OPEN_ROUTES);
      await shoot(await openContext(browser, { ...look, session }), ROUTES);
    }
} finally {
  await browser.close();
}
