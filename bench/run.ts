/**
 * Prints every benchmark as a ratio to a bare library or peer, both measured in this same run:
 * `npm run bench` for all, `npm run bench -- serve store` for some. No thresholds: figures for people.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Refusal } from "../src/foundation/errors.ts";
import type { BenchRow } from "./bench-row.ts";

const folder = import.meta.dirname;
const known = (await readdir(folder))
  .filter((name) => name.endsWith(".ts") && !["run.ts", "bench-row.ts"].includes(name))
  .map((name) => name.replace(/\.ts$/, ""))
  .sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`no benchmark named ${unknown.join(", ")}; there are: ${known.join(", ")}`);
  process.exit(2);
}

console.log("| benchmark | ours | peer | ratio | unit |");
console.log("|---|---|---|---|---|");
for (const name of wanted.length > 0 ? wanted : known) {
  const module = (await import(pathToFileURL(join(folder, `${name}.ts`)).href)) as Record<
    string,
    () => Promise<BenchRow[]>
  >;
  for (const [exported, measure] of Object.entries(module)) {
    if (!exported.startsWith("bench")) continue;
    for (const row of await measured(name, measure))
      console.log(`| ${row.name} | ${shown(row.ours)} | ${shown(row.peer)} | ${shown(row.ratio)} | ${row.unit} |`);
  }
}

/** What needs a setup that is not there is left out, with its reason, and the others go on. */
async function measured(name: string, measure: () => Promise<BenchRow[]>): Promise<BenchRow[]> {
  try {
    return await measure();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(`skipped ${name}: ${error.message} ${error.details.fix ?? ""}`);
    return [];
  }
}

function shown(value: number | null): string {
  if (value === null) return "-";
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
