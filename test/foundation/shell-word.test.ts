import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellWord } from "../../src/foundation/shell-word.ts";

test.each([
  ["How many albums are there?", "How many albums are there?"],
  ['What\'s in "$HOME" or `pwd`; $(date) \\ & *', 'What\'s in "$HOME" or `pwd`; $(date) \\ & *'],
  [" two\n\tlines\r\n", "two lines"],
  ["a \u001b[31mred\u0007 one", "a \ufffd[31mred\ufffd one"],
])("a shell reads %j as one word that says the same", (text, read) => {
  expect(execFileSync("sh", ["-c", `printf %s ${shellWord(text)}`], { encoding: "utf8" })).toBe(read);
});
