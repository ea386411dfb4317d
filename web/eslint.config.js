import { readdirSync } from "node:fs";

import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const features = readdirSync(new URL("src/features", import.meta.url));

/** Files of a zone may not import from these places. */
const zone = (files, patterns) => ({
  files,
  rules: { "no-restricted-imports": ["error", { patterns }] },
});

const upwards = { group: ["../**"], message: "Write it from the root: @/…" };

const notFrom = (group, message) => ({ group, message });

export default tseslint.config(
  { ignores: ["dist", "src/api/schema.gen.d.ts", "node_modules"] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { "react-hooks": reactHooks },
    rules: {
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
      "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // What is taken out of an object so that the rest lacks it is used by being left out.
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
      // Routers throw what is no Error on purpose: redirects.
      "@typescript-eslint/only-throw-error": "off",
      "no-restricted-syntax": [
        "error",
        { selector: "ExportAllDeclaration", message: "No barrels: import from where it stands." },
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Text from targets is never HTML." },
      ],
    },
  },
  // A page says what it returns, or its type runs in a circle through the router.
  { files: ["src/**/*-page.tsx"], rules: { "@typescript-eslint/explicit-module-boundary-types": "error" } },
  // A stand-in for an asynchronous function has nothing to wait for.
  { files: ["src/**/*.test.{ts,tsx}"], rules: { "@typescript-eslint/require-await": "off" } },
  { files: ["**/*.js", "**/*.mjs"], ...tseslint.configs.disableTypeChecked },
  {
    files: ["src/routes/**"],
    ignores: ["src/routes/lazy-page.ts"],
    rules: {
      "no-restricted-imports": ["error", {
        paths: [{ name: "@tanstack/react-router", importNames: ["lazyRouteComponent"], message: "Use lazyPage: it says what could not be loaded." }],
      }],
    },
  },
  zone(["src/lib/**"], [upwards, notFrom(["@/api/**", "@/ui/**", "@/features/**", "@/routes/**"], "lib stands at the bottom.")]),
  zone(["src/api/**"], [upwards, notFrom(["@/ui/**", "@/features/**", "@/routes/**"], "api knows nothing of what is shown.")]),
  zone(["src/ui/**"], [upwards, notFrom(["@/features/**", "@/routes/**"], "ui is shared; it knows no feature.")]),
  ...features.map((name) =>
    zone(
      [`src/features/${name}/**`],
      [
        upwards,
        notFrom(["@/routes/**"], "Routes know features, not the other way round."),
        notFrom(
          ["@/features/*/**", `!@/features/${name}/**`, "!@/features/*/api"],
          "Of another feature only its api.ts may be used.",
        ),
      ],
    ),
  ),
);
