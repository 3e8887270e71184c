/**
 * The most memory that `verify`, the lake's making, an export and an import take, over a log of long texts and over one of very
 * many short ones. Both are 2 GB long with `TRACEMILL_LONG=1`; the shorter ones of every run are cut into parts as those
 * are, and are held to the same limits, so that memory which grows with the log shows in them too.
 */
import { appendFileSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Home, homeAt } from "../src/store/home.ts";
import { writeBaseManifest } from "../src/store/manifests.ts";
import { sampleBase } from "./dataset/sample-selection.ts";
import { peakMb } from "./fixtures/peak-memory.ts";
import { smollm2Tokenizer } from "./fixtures/smollm2-tokenizer.ts";
import { createBufferedLog } from "./store/buffered-log.ts";
import { sampleRunId, writeSampleRun } from "./store/sample-run.ts";

const IS_LONG = process.env.TRACEMILL_LONG !== undefined;
if (!IS_LONG) console.log("skipped: logs of 2 GB take half an hour (TRACEMILL_LONG=1 runs them); these have 100 MB");
const LOG_MB = IS_LONG ? 2000 : 100;
/** Short rows make a log that is many times longer. */
const IMPORT_MB = IS_LONG ? 2000 : 25;
const TIMEOUT_MS = IS_LONG ? 3_600_000 : 300_000;

/** What is promised is 500 MB. */
const LIMITS_MB = { verify: 160, lake: 400, export: 490, import: 450 };

/** `itemBytes` is what an item takes of the log, measured and rounded down: the limits are for a log no shorter than said. */
const SHAPES = [
  { name: "long texts", itemBytes: 64_000, taskBytes: 20_000, attemptsPerItem: 1, passFraction: 0.3 },
  { name: "short texts", itemBytes: 5_600, taskBytes: 0, attemptsPerItem: 2, passFraction: 0.5 },
];

describe.each(SHAPES)(`over a log of ${LOG_MB} MB with $name`, ({ itemBytes, name: _, ...shape }) => {
  let home: Home;

  beforeAll(async () => {
    home = homeAt(mkdtempSync(join(tmpdir(), "tracemill-")));
    const { base } = await sampleBase();
    await writeBaseManifest(home, { ...base, hfFolder: await smollm2Tokenizer(), contextTokens: 32_768 });
    const items = Math.ceil((LOG_MB * 1e6) / itemBytes);
    await writeSampleRun(home, { ...shape, items, createLog: createBufferedLog });
    expect(statSync(home.runLog(sampleRunId(1))).size / 1e6).toBeGreaterThanOrEqual(LOG_MB);
  }, TIMEOUT_MS);

  afterAll(() => rmSync(home.path, { recursive: true }));

  // In this order: an export makes a lake that is not there.
  for (const what of ["verify", "lake", "export"] as const) {
    test(`${what} stays below ${LIMITS_MB[what]} MB`, { timeout: TIMEOUT_MS }, async () => {
      expect(await peakMb(what, home)).toBeLessThan(LIMITS_MB[what]);
    });
  }
});

describe.each([
  { name: "long texts", textBytes: 20_000 },
  { name: "short texts", textBytes: 300 },
])(`an import of ${IMPORT_MB} MB with $name`, ({ textBytes }) => {
  test(`stays below ${LIMITS_MB.import} MB`, { timeout: TIMEOUT_MS }, async () => {
    const home = homeAt(mkdtempSync(join(tmpdir(), "tracemill-")));
    const file = join(home.path, "rows.jsonl");
    const text = "what was said. ".repeat(textBytes / 15);
    for (let row = 0, sizeBytes = 0; sizeBytes < IMPORT_MB * 1e6; ) {
      const lines = Array.from({ length: Math.ceil(2e6 / textBytes) }, () => {
        const said = [
          { role: "user", content: `${row++} ${text}` },
          { role: "assistant", content: `${row} yes` },
        ];
        return `${JSON.stringify({ id: `task-${row}`, messages: said, reward: row % 2 })}\n`;
      });
      appendFileSync(file, lines.join(""));
      sizeBytes = statSync(file).size;
    }
    expect(await peakMb("import", home)).toBeLessThan(LIMITS_MB.import);
    rmSync(home.path, { recursive: true });
  });
});
