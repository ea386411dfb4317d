// A browser for the checks: Debian's chromium, nothing of its own sent out.
import { chromium } from "playwright-core";

const PATH = process.env.OPS_WEB_CHROMIUM ?? "/usr/bin/chromium";
const QUIET = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];

export const openBrowser = () => chromium.launch({ executablePath: PATH, headless: true, args: QUIET });

export const settings = () => {
  const { OPS_WEB_URL: url, OPS_WEB_USER: username = "admin", OPS_WEB_PASSWORD: password } = process.env;
  if (!url || !password) {
    console.error("Name the system to look at: OPS_WEB_URL, OPS_WEB_PASSWORD (and OPS_WEB_USER unless it is admin).");
    process.exit(2);
  }
  return { url: url.replace(/\/$/, ""), username, password };
};

/** Runs in the page before anything of its own: what must never happen there is told on the console. */
const watchful = () => {
  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
    console.error(`The content policy was violated: ${violatedDirective} ${blockedURI} ${sample}`),
  );
  Object.defineProperty(window, "__pwned", { set: (by) => console.error(`Text was run as a script: ${by}`), get: () => undefined });
};

/** A place of its own for cookies, storage and cache; signed in where a session is handed over. */
export const openContext = async (browser, { url, scheme = "light", width = 1440, height = 900, session }) => {
  const localStorage = session ? [{ name: "ops.refresh", value: session }] : [];
  const context = await browser.newContext({
    baseURL: url, colorScheme: scheme, reducedMotion: "reduce", viewport: { width, height }, storageState: { cookies: [], origins: [{ origin: url, localStorage }] },
  });
  context.setDefaultTimeout(60_000);
  await context.addInitScript(watchful);
  return context;
};

/** A page that remembers everything the console and the content policy complained about. */
export const openPage = async (context) => {
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") page.complaints.push(`${message.text()} ${message.location().url ?? ""}`);
  });
  return page;
};
