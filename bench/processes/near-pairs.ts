/**
 * Finds the near-duplicates among the first texts of a file of JSON strings, one a line, and prints how long that took, reading
 * included, and the processor's time of the whole process: `near-pairs.ts FILE COUNT pairs|resolve`.
 */
import { nearDuplicates } from "../../src/curate/near/near-duplicates.ts";
import { readLines } from "../../src/foundation/jsonl.ts";

const [path = "", count = "", what = ""] = process.argv.slice(2);
const startMs = performance.now();
const collection = nearDuplicates();
for (const { bytes, number } of readLines(path)) {
  if (number > Number(count)) break;
  collection.add(JSON.parse((bytes as Buffer).toString("utf8")));
}
const readMs = performance.now();
const pairs = what === "pairs" ? [...collection.pairs()] : [];
const dropped = what === "pairs" ? null : collection.resolve().filter((kept) => kept !== -1).length;
const endMs = performance.now();
const peakMegabytes = process.resourceUsage().maxRSS / 1024;
const { user, system } = process.cpuUsage();
const times = {
  seconds: (endMs - startMs) / 1000,
  findSeconds: (endMs - readMs) / 1000,
  cpuSeconds: (user + system) / 1e6,
};
process.stdout.write(`${JSON.stringify({ ...times, peakMegabytes, dropped, pairs })}\n`);
