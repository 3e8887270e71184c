/**
 * What a loop trains on and begins with: other skills than the one that is judged, and the champion's weights. With the tiny base,
 * which has nothing to learn, so that no gate passes.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { listAdapters, listPlans, readDatasetManifest } from "../../src/store/manifests.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";
import { tracemill } from "../fixtures/tracemill.ts";

process.env.TRACEMILL_SKILLS = join(PACKAGE_FOLDER, "test", "fixtures", "skills");

const LOOP = ["loop", "--preset", "tiny", "--base", "tiny", "--json"];
const onceSchema = z.object({
  adapterHash: z.string(),
  datasetHash: z.string(),
  stages: z.record(z.string(), z.json()),
});

let home: Home;

beforeAll(async () => {
  home = homeAt(await mkdtemp(join(tmpdir(), "tracemill-transfer-")));
  const base = await tinyBase();
  await tracemill(home, "base", "add", "tiny", "--hf", base.hf, "--gguf", base.gguf);
}, 120_000);

afterAll(() => rm(home.path, { recursive: true, force: true }));

describe("a loop", { timeout: 600_000 }, () => {
  let learned: z.infer<typeof onceSchema>;

  test("of all skills but one trains on their rows alone, and is judged at the one", async () => {
    const made = await tracemill(home, ...LOOP, "--skills", "letters,parity,-cron");
    expect([made.exitCode, made.stderr.includes('"refusal"') ? made.stderr : ""]).toEqual([4, ""]);
    learned = onceSchema.parse(JSON.parse(made.stdout));
    expect(Object.keys(learned.stages)).toEqual([
      ...["base", "collect letters", "collect parity", "watch letters", "watch parity", "export", "train", "validate"],
    ]);
    const dataset = await readDatasetManifest(home, learned.datasetHash);
    expect([dataset.skills, dataset.inputs.runs.length]).toEqual([["letters", "parity"], 4]);
    const [plan] = await listPlans(home);
    expect(plan?.skill.id).toBe("cron");
    expect(plan?.arms.map(({ arm }) => arm)).toEqual(["base", "candidate"]);
    expect(await readFile(join(home.path, "report.md"), "utf8")).toMatch(
      /^Transfer: trained on \d+ rows of letters, \d+ rows of parity, and judged at cron,/m,
    );
  });

  test("goes on from the champion's weights where it is told to", async () => {
    await tracemill(home, "promote", learned.adapterHash, "--for", "parity", "--override", "a test");
    const started = tracemill(home, ...LOOP, "--skill", "parity", "--rounds", "1", "--continue");
    // What is judged afterwards takes as long again and tells nothing of that.
    await expect.poll(async () => (await listAdapters(home)).length, { timeout: 500_000, interval: 200 }).toBe(2);
    started.kill("SIGTERM");
    await started;
    const child = (await listAdapters(home)).find(({ adapterHash }) => adapterHash !== learned.adapterHash);
    expect(child).toMatchObject({ parent: learned.adapterHash, skills: ["parity"] });
  });

  test.each([
    ["--continue without rounds", ["--continue"]],
    ["rounds of a skill that is left out", ["--skills", "letters,-parity", "--rounds", "2"]],
  ])("is refused: %s", async (_, words) => {
    const { exitCode, stderr } = await tracemill(home, ...LOOP, ...words);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('"code":"BAD_ARGUMENT"')]);
  });
});
