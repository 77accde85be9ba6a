import vue from "eslint-plugin-vue";
import ts from "typescript-eslint";

const sizes = {
  "max-lines": ["error", { max: 400 }],
  "max-lines-per-function": ["error", { max: 40, skipBlankLines: true, skipComments: true }],
  "max-params": ["error", 6],
  "max-depth": ["error", 3],
};

export default ts.config(
  {
    ignores: ["**/node_modules/", "**/dist/", "web/api/src/generated/", "web/workbench/src/*.d.ts", "src/", "e2e/shots/"],
  },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  ts.configs.strict,
  vue.configs["flat/recommended"],
  {
    files: ["**/*.{ts,js,mjs,vue}"],
    rules: {
      ...sizes,
      eqeqeq: "error",
      "no-console": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      // A leading underscore says the value is named only to be left out.
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/unified-signatures": "off",
    },
  },
  {
    files: ["**/*.vue"],
    languageOptions: { parserOptions: { parser: ts.parser } },
    rules: {
      "max-lines": ["error", { max: 250 }],
      "vue/component-api-style": ["error", ["script-setup"]],
      "vue/block-order": ["error", { order: ["script", "template", "style"] }],
      "vue/define-emits-declaration": "error",
      "vue/define-props-declaration": "error",
      "vue/no-v-html": "error",
      "vue/no-unused-refs": "error",
      // Layout is the editor's business, not a rule's.
      "vue/max-attributes-per-line": "off",
      "vue/singleline-html-element-content-newline": "off",
      "vue/html-self-closing": "off",
      "vue/multi-word-component-names": "off",
      // Absent means undefined, which the types already say.
      "vue/require-default-prop": "off",
    },
  },
  {
    // A describe block is as long as what it describes.
    files: ["**/*.test.ts", "**/*.fixture.ts", "e2e/**"],
    rules: { "max-lines-per-function": "off", "@typescript-eslint/no-non-null-assertion": "off" },
  },
  {
    files: ["web/sdk/**"],
    rules: { "no-restricted-imports": ["error", { patterns: ["vue*", "@kefu/*"] }] },
  },
  {
    files: ["web/api/**"],
    rules: { "no-restricted-imports": ["error", { patterns: ["vue*", "pinia", "@kefu/*"] }] },
  },
);
