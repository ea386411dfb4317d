// Fails when src/api/schema.gen.d.ts is not what docs/openapi.json says.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import openapiTS, { astToString } from "openapi-typescript";

const committed = readFileSync(new URL("../src/api/schema.gen.d.ts", import.meta.url), "utf8");
const fresh = astToString(await openapiTS(new URL("../../docs/openapi.json", import.meta.url)));

// The command line puts a comment in front of what the library makes.
if (!committed.endsWith(fresh)) {
  console.error(`${fileURLToPath(new URL("../src/api/schema.gen.d.ts", import.meta.url))} is not what docs/openapi.json says. Run: npm run types`);
  process.exit(1);
}
