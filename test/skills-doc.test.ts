/**
 * Holds docs/skills.md to what it tells of: the fields of skill.json, the protocol's methods, the flags of a verdict, the
 * contract suite, and the example that it shows.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";
import { VERDICT_FLAGS } from "../src/records/verdict.ts";
import { executableSchema } from "../src/skills/executable-manifest.ts";
import { resultSchemas } from "../src/skills/executable-protocol.ts";
import { SUITE } from "../src/skills/suite.ts";

const text = (...path: string[]) => readFileSync(join(PACKAGE_FOLDER, ...path), "utf8");
const page = text("docs", "skills.md");
const indented = (lines: string) => lines.trim().replaceAll(/^(?=.)/gm, "    ");

/** What imports and the auditor set, which is none of a verifier's business. */
const NOT_TOLD = ["imported", "conflict"];

it.each([
  ["field of skill.json", Object.keys(executableSchema.shape)],
  ["method of the protocol", Object.keys(resultSchemas)],
  ["flag of a verdict", VERDICT_FLAGS.filter((flag) => !NOT_TOLD.includes(flag))],
])("every %s has a row", (_, names) => {
  const rows = new Set(
    [...page.matchAll(/^\| ((?:`\w[\w-]*`(?:, )?)+) \|/gm)].flatMap(([, cell]) => cell?.split(", ") ?? []),
  );
  expect(names.filter((name) => !rows.has(`\`${name}\``))).toEqual([]);
});

it("the checks of the contract suite are those that are shown", () => {
  const shown = [...page.matchAll(/^ {4}ok {7}(.*)$/gm)].map(([, title]) => title);
  expect(shown).toEqual(SUITE.map(({ title }) => title));
});

it("the example is shown as it is", () => {
  const example = ["examples", "skills", "glob-patterns"];
  expect(page).toContain(indented(text(...example, "skill.json")));
  expect(page).toContain(indented(text(...example, "prompts", "worker.md")));
});
