/** Holds docs/datasets.md to the filter language: its fields, and the expressions that it shows. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { MAX_DEPTH, MAX_LENGTH, parseFilter } from "../src/curate/expression.ts";
import { FIELDS } from "../src/curate/fields.ts";
import { loadFilters } from "../src/curate/gates.ts";
import { OTHER_REASONS } from "../src/curate/reasons.ts";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";

const page = readFileSync(join(PACKAGE_FOLDER, "docs", "datasets.md"), "utf8");
const section = page.slice(page.indexOf("## Filter\n")).split(/\n## (?!Filter)/, 1)[0] as string;

it("the table of fields holds every field, its type and what it says, and no other", () => {
  const rows = section.match(/^\| `\w+` \| (?:text|number|boolean) \| .* \|$/gm);
  expect(rows).toEqual([...FIELDS].map(([name, { type, summary }]) => `| \`${name}\` | ${type} | ${summary} |`));
});

it("every expression that is shown can be read", () => {
  const shown = [...section.matchAll(/--filter "([^"]*)"/g), ...section.matchAll(/^\| `([^`]*[=<>( ][^`]*)` \|/gm)];
  const expressions = shown.map(([, text]) => text as string);
  expect(expressions.length).toBeGreaterThan(8);
  for (const text of expressions) expect(parseFilter(text), text).toBeTruthy();
});

it("the table of gates holds every integrity filter, with its own summary", async () => {
  const gates = await loadFilters();
  for (const { reason, filter } of gates)
    expect(page).toContain(
      `| \`${reason}\`${filter.isFixed ? " *" : ""} | ${filter.role ?? "all"} | ${filter.summary} |`,
    );
  expect(gates.length).toBeGreaterThan(10);
  const ofAnswers = gates.filter(({ filter }) => filter.isAboutAnswer).map(({ reason }) => `\`${reason}\``);
  expect(page).toContain(`as they are about the answer: ${ofAnswers.join(", ")}.\n`);
});

it("the table of other reasons holds each with its own words", () => {
  for (const [reason, words] of Object.entries(OTHER_REASONS)) expect(page).toContain(`| \`${reason}\` | ${words} |`);
});

it("the bounds are those that are told", () => {
  expect(section).toContain(`at most ${MAX_LENGTH} characters`);
  expect(section).toContain(`${MAX_DEPTH} deep`);
});
