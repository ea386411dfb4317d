// Puts a .gz beside every built file that gains by it; the gateway and nginx send those.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const assets = new URL("../dist/assets/", import.meta.url);

for (const name of readdirSync(assets)) {
  if (!/\.(js|css|svg|json)$/.test(name)) continue;
  const plain = readFileSync(new URL(name, assets));
  const small = gzipSync(plain, { level: 9 });
  if (small.length < plain.length * 0.9) writeFileSync(new URL(`${name}.gz`, assets), small);
}
