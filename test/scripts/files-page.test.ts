import { expect, test } from "vitest";
import { firstSentence, headerOf } from "../../scripts/files-page.ts";

test.each([
  [
    "a block of TypeScript",
    "/**\n * What it is,\n * told in two lines. And more.\n */\nimport x;",
    "What it is, told in two lines.",
  ],
  ["one line of TypeScript", "/** What it is. */\nimport x;", "What it is."],
  ["a docstring", '"""What it is.\n\nAnd more."""\nimport x\n', "What it is."],
  ["a shell script", "#!/usr/bin/env bash\n# What it is,\n# in two lines.\nset -e\n", "What it is, in two lines."],
])("the first sentence of %s is found", (_, source, sentence) => {
  expect(firstSentence(headerOf(source) ?? "")).toBe(sentence);
});

test("a stop inside a name ends no sentence, and a text without one is whole", () => {
  expect(firstSentence("Read by `cli.ts` in 0.5 s. Then more.")).toBe("Read by `cli.ts` in 0.5 s.");
  expect(firstSentence("No stop at its end")).toBe("No stop at its end");
});

test("a file that opens with code has no header", () => {
  expect(headerOf("import x;\n/** Late. */\n")).toBeNull();
  expect(headerOf("#!/usr/bin/env bash\nset -e\n# Late.\n")).toBeNull();
});
