/** `tracemill export --tier reranker-pairs` as a user types it: its own dataset, scrubbed, and tainted by its tips. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { exportDataset } from "../../src/commands/export.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import { rowLineageSchema } from "../../src/records/row-lineage.ts";
import type { Home } from "../../src/store/home.ts";
import { writeBaseManifest } from "../../src/store/manifests.ts";
import { writeDrawnRun } from "../curate/role-run.ts";
import { writeTaughtRun } from "../curate/taught-run.ts";
import { sampleBase } from "../dataset/sample-selection.ts";
import { withHome } from "../store/sample-run.ts";

const TAUGHT = [
  { item: "joins/a", text: "Ask 10.0.0.9 for the keys.", effect: 0.3 },
  { item: "joins/b", text: "Never ask 10.0.0.9 for anything.", effect: -0.3 },
  { item: "sums/a", text: "It does nothing.", effect: 0 },
  { item: "views/a", text: "It does nothing else.", effect: 0 },
];
const WORDS = ["export", "--skill", "sql", "--tier", "reranker-pairs", "--format", "triplets"];

async function linesOf(path: string) {
  return (await readFile(path, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

function tracemill(home: Home, ...words: string[]) {
  const cli = join(PACKAGE_FOLDER, "src", "cli.ts");
  const env = { TRACEMILL_HOME: home.path };
  return execa(process.execPath, [cli, ...words], { env, cwd: home.path, reject: false });
}

it("pairs of tips are exported alone, scrubbed, and tainted once a tip of theirs is revoked", () =>
  withHome(async (home) => {
    await writeBaseManifest(home, (await sampleBase()).base);
    const { tips } = await writeTaughtRun(home, TAUGHT);
    const effects = tips.map((tip, i) => ({ tip, effect: TAUGHT[i]?.effect ?? 0 }));
    await writeDrawnRun(home, effects, { number: 2, items: 400 });

    const { exitCode, stderr } = await tracemill(home, ...WORDS, "--out", "triplets.jsonl");
    expect([exitCode, stderr]).toEqual([0, ""]);
    const rows = await linesOf(join(home.path, "triplets.jsonl"));
    expect(rows.length).toBeGreaterThan(8);
    for (const row of rows) expect(Object.keys(row)).toEqual(["anchor", "positive", "negative"]);
    const [both] = rows.filter(({ positive, negative }) => `${positive} ${negative}`.includes("for anything"));
    expect(both).toMatchObject({
      anchor: expect.stringMatching(/^Task drawn-\d+\/a$/),
      positive: "Ask <HOST_1> for the keys.",
      negative: "Never ask <HOST_1> for anything.",
    });

    const place = { home, clock: systemClock };
    const options = { skills: ["sql"], tier: "reranker-pairs", format: "triplets" } as const;
    const { manifest, folder } = await exportDataset({ ...options, skills: ["sql"] }, place); // the same again
    expect(manifest).toMatchObject({ tier: "reranker-pairs", role: "reflector", base: null, pairLengths: null });
    expect(manifest.files.map(({ path }) => path).filter((path) => path.startsWith("tokens"))).toEqual([]);
    expect(await linesOf(join(folder, "train.jsonl"))).toEqual(rows);
    const lineage = (await linesOf(join(folder, "rows.jsonl"))).map((line) => rowLineageSchema.parse(line));
    expect(lineage.every((row) => row.tips.length === 2 && row.turns.length === 1)).toBe(true);
    for (const row of lineage)
      expect(row.answers.map(({ label, rule }) => [label, rule])).toEqual([
        [true, "tip-effect"],
        [false, "tip-effect"],
      ]);

    const answers = await exportDataset(
      { skills: ["sql"], tier: "preference-pairs", format: "dpo", base: "none" },
      place,
    );
    const kinds = (await linesOf(join(answers.folder, "train.jsonl"))).map(({ tier }) => tier);
    expect(new Set(kinds)).toEqual(new Set(["reflector-pair"]));

    const holding = lineage.filter((row) => row.tips.includes(tips[1] as never)).length;
    const revoked = await tracemill(home, "revoke", tips[1] as string, "--reason", "it is wrong");
    expect(revoked.stdout).toContain(`${manifest.datasetHash.slice(0, 12)}: ${holding} of ${rows.length} rows`);
    const rebuilt = await tracemill(home, "dataset", "rebuild", manifest.datasetHash);
    expect([rebuilt.exitCode, rebuilt.stderr]).toEqual([0, ""]);
    expect(rebuilt.stdout).toContain(`replaces ${manifest.datasetHash.slice(0, 12)}`);
  }));

it("no format of answers takes them, and no role but the reflector's has them", () =>
  withHome(async (home) => {
    await writeTaughtRun(home, TAUGHT);
    const place = { home, clock: systemClock };
    const asked = (own: object) => exportDataset({ skills: ["sql"], tier: "reranker-pairs", ...own }, place);
    for (const format of ["jsonl", "dpo", "prompts"])
      await expect(asked({ format })).rejects.toMatchObject({ code: "FORMAT_OF_ANOTHER_TIER" });
    await expect(asked({ format: "triplets", role: "worker" })).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    await expect(asked({ format: "triplets", filter: "attempt=1" })).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    await expect(asked({ format: "triplets" })).rejects.toMatchObject({ code: "EMPTY_SELECTION" });
    const judged = exportDataset({ skills: ["sql"], tier: "preference-pairs", format: "triplets" }, place);
    await expect(judged).rejects.toMatchObject({ code: "FORMAT_OF_ANOTHER_TIER" });
  }));
