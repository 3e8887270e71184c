/** What an export takes of whole attempts, counts for each unit, and writes of places' names. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exportDataset, previewExport, previewUnits } from "../../src/commands/export.ts";
import { printedExport } from "../../src/commands/export-report.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import type { Home } from "../../src/store/home.ts";
import { writeBaseManifest } from "../../src/store/manifests.ts";
import { writeRoleRun } from "../curate/role-run.ts";
import { type AttemptDraft, writeRun } from "../curate/written-run.ts";
import { sampleBase } from "../dataset/sample-selection.ts";
import { smollm2Tokenizer } from "../fixtures/smollm2-tokenizer.ts";
import { withHome } from "../store/sample-run.ts";

const GOOD: AttemptDraft[] = [
  { item: "shop/a", query: "SELECT 1" },
  { item: "shop/a", query: "SELECT 2" },
];
const SQL = { skills: ["sql"] };
const hfFolder = await smollm2Tokenizer();
const { base } = await sampleBase();

/** Runs `use` with a home that has a base and a run of these attempts. */
function withRun<T>(attempts: AttemptDraft[], use: (place: { home: Home; clock: typeof systemClock }) => Promise<T>) {
  return withHome(async (home) => {
    await writeBaseManifest(home, { ...base, hfFolder });
    await writeRun(home, { attempts });
    return use({ home, clock: systemClock });
  });
}

describe("a place's name", () => {
  const ofAnn: AttemptDraft = {
    item: "/home/ann.lee/sums/1",
    family: "/home/ann.lee/sums",
    task: "Add what is in /home/kim.oz/a and in /home/ann.lee/b.",
    answer: "cat /home/ann.lee/b",
    steps: [{ answer: "cat /home/ann.lee/c", printed: "/home/kim.oz/a is gone" }],
  };
  const ofBob = { item: "/home/bob.ray/sums/1", family: "/home/bob.ray/sums", task: "Count.", query: "SELECT 7" };

  it("is a placeholder in every file of rows, and two families stay two; what leads back still does", () =>
    withRun([ofAnn, ofBob], async (place) => {
      const { folder, manifest } = await exportDataset({ ...SQL, base: "none" }, place);
      const text = await readFile(join(folder, "train.jsonl"), "utf8");
      expect(text).not.toMatch(/ann\.lee|bob\.ray|kim\.oz/);
      expect(manifest.counts.families).toEqual(["/home/<USER_1>/sums", "/home/<USER_2>/sums"]);
      expect(manifest.byFamily.map(({ rows }) => rows)).toEqual([1, 1]);
      expect(text).toMatch(/"attempt":"[^/"]+\/sql:\/home\/<USER_1>\/sums\/1\/1"/);
      expect(await readFile(join(folder, "rows.jsonl"), "utf8")).toContain("sql:/home/ann.lee/sums/1/1#2");
    }));
});

describe("an architect's selection", () => {
  it("counts as of the first attempt at its item, however many the run selected before", () =>
    withHome(async (home) => {
      const run = await writeRoleRun(home, { items: ["shop/a", "zoo/b"] }, (writer) => {
        for (const item of ["shop/a", "zoo/b"]) {
          writer.select(item);
          writer.turn("worker", item, 1);
          writer.verdict(item, 1);
          writer.finish(item, "solved");
        }
      });
      const options = { ...SQL, role: "architect", base: "none" };
      const ofFirst = await previewExport({ ...options, tries: "first" }, { home });
      expect([ofFirst.counts.trainRows, ofFirst.refusals]).toEqual([2, []]);
      const ofFilter = await previewExport({ ...options, filter: "attempt=1" }, { home });
      expect([ofFilter.counts.trainRows, ofFilter.runs]).toEqual([2, [run]]);
      const tasks = await previewExport({ ...options, format: "prompts" }, { home });
      expect(tasks.counts.trainRows).toBe(2);
    }));
});

describe("a preview under a limit of tokens", () => {
  const FAILED = {
    item: "shop/a",
    query: "SELECT 3",
    verdicts: [{ passed: false, value: 0, failureMode: "wrong-rows" }],
  };
  const dryRun = (options: Partial<Parameters<typeof previewUnits>[0]>, attempts = GOOD) =>
    withRun(attempts, async (place) => {
      const { counts, rowsByUnit } = await previewUnits({ ...SQL, ...options }, place);
      return [counts.trainRows, rowsByUnit];
    });

  it("has the rows of single turns and of whole attempts, of either unit", async () => {
    expect(await dryRun({ maxTokens: 8000 })).toEqual([2, { turn: 2, attempt: 2 }]);
    expect(await dryRun({ maxTokens: 8000, unit: "attempt" })).toEqual([2, { turn: 2, attempt: 2 }]);
  });

  it("has no rows of a unit of which none is left", async () => {
    const lost = { answer: "ls", printed: "t", missing: ["answer" as const] };
    expect(await dryRun({ maxTokens: 8000 }, [{ item: "shop/a", steps: [lost] }])).toEqual([
      1,
      { turn: 1, attempt: 0 },
    ]);
  });

  it("says in the refusal of a unit of which too little is left what the other one keeps", async () => {
    const long = { answer: "Let me look. ".repeat(20), printed: "3 ".repeat(400) };
    const attempts = [{ item: "shop/a", query: "SELECT 1", steps: [long] }];
    const refused = { code: "EMPTY_SELECTION" };
    await expect(dryRun({ maxTokens: 20, unit: "attempt" }, attempts)).rejects.toMatchObject({
      ...refused,
      details: {
        got: expect.stringMatching(/too-long 2 .*; with --unit turn 0 training rows$/),
        fix: expect.stringMatching(/^loosen .*, raise `--max-tokens`, or collect/),
      },
    });
    const lost = { answer: "ls", printed: "t", missing: ["answer" as const] };
    const oneTurn = [{ item: "shop/a", steps: [lost] }];
    await expect(dryRun({ maxTokens: 8000, unit: "attempt" }, oneTurn)).rejects.toMatchObject({
      ...refused,
      details: {
        got: expect.stringMatching(/; with --unit turn 1 training row$/),
        fix: expect.stringMatching(/^--unit turn, or loosen/),
      },
    });
  });

  it("names the cap of an item's rows where longer ones may have taken the place of one that fits", async () => {
    const looped = { answer: "Let me look.", printed: "3 ".repeat(400) };
    const attempts = [1, 2].map((n) => ({
      item: "shop/a",
      query: `SELECT ${n}`,
      completionTokens: n,
      steps: [looped],
    }));
    const asked = { maxTokens: 90, maxPerItem: 1 };
    await expect(dryRun(asked, [...attempts, { item: "shop/a", query: "SELECT 3" }])).rejects.toMatchObject({
      details: { fix: expect.stringContaining("--max-per-item") },
    });
  });

  it.each(["dpo", "prompts"])("is of one unit in the format %s, which has no other", async (format) => {
    expect(await dryRun({ maxTokens: 8000, format }, [...GOOD, FAILED])).toEqual([expect.any(Number), undefined]);
  });

  it("is printed with both", () =>
    withRun([{ item: "shop/a", steps: [{ answer: "ls", printed: "t", missing: ["answer"] }] }], async (place) => {
      const preview = await previewUnits({ ...SQL, maxTokens: 90 }, place);
      expect(printedExport({ ...preview, explain: false })).toContain(
        "unit turn: 1 training row within the limit of tokens\nunit attempt: 0 training rows within the limit of tokens",
      );
    }));

  it("names no unit without a limit", async () => {
    expect(await dryRun({})).toEqual([2, undefined]);
  });
});
