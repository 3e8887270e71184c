/** `tracemill export` as a user types it, over runs of two skills. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import type { DatasetManifest } from "../../src/records/dataset-manifest.ts";
import type { Home } from "../../src/store/home.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { writeDrawnRun } from "../curate/role-run.ts";
import { writeTaughtRun } from "../curate/taught-run.ts";
import { type AttemptDraft, type RunDraft, TIP, writeRun } from "../curate/written-run.ts";
import { withHome } from "../store/sample-run.ts";

const MISSED: AttemptDraft["verdicts"] = [{ passed: false, value: 0, failureMode: "wrong-rows" }];
const TAUGHT = [
  { item: "joins/a", text: "It helps.", effect: 0.3 },
  { item: "joins/b", text: "It harms.", effect: -0.3 },
  { item: "sums/a", text: "It does nothing.", effect: 0 },
  { item: "views/a", text: "It does nothing else.", effect: 0 },
];

function tracemill(home: Home, words: string, ...more: string[]) {
  const cli = join(PACKAGE_FOLDER, "src", "cli.ts");
  const env = { TRACEMILL_HOME: home.path };
  return execa(process.execPath, [cli, ...words.split(" "), ...more], { env, cwd: home.path, reject: false });
}

async function rowsIn(home: Home, name: string): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(join(home.path, name), "utf8")).trim().split("\n");
  return lines.map((line) => JSON.parse(line));
}

/** Exports to a file and returns the values of a column in it, each once. */
async function exported(home: Home, words: string, column: string): Promise<unknown[]> {
  const { exitCode, stderr } = await tracemill(home, `export ${words}`);
  expect([words, exitCode, stderr]).toEqual([words, 0, ""]);
  const name = words.split(" ").at(-1) ?? "";
  return [...new Set((await rowsIn(home, name)).map((row) => row[column]))].sort();
}

it("takes the command lines of the documentation as they are written there", () =>
  withHome(async (home) => {
    const attempts = [{ item: "sshd/a" }, { item: "sshd/a", query: "SELECT 2", verdicts: MISSED }];
    await writeRun(home, { skill: "stig", number: 3, attempts });
    const { tips } = await writeTaughtRun(home, TAUGHT);
    const effects = tips.map((tip, i) => ({ tip, effect: TAUGHT[i]?.effect ?? 0 }));
    await writeDrawnRun(home, effects, { number: 2, items: 400, seed: 1 });
    const worker = "--role worker --skill stig --filter eval_passed=true --format jsonl --out worker_sft.jsonl";
    expect(await exported(home, worker, "item")).toEqual(["stig:sshd/a"]);
    const reflector = "--role reflector --skills all --format dpo --out reflector_dpo.jsonl";
    expect(await exported(home, reflector, "tier")).toEqual(["reflector-pair"]);
    const pairs = "--tier preference-pairs --format dpo --out tip_preferences.jsonl";
    expect(await exported(home, pairs, "tier")).toEqual(["reflector-pair", "worker-pair"]);
  }));

it.each(["--explain", "--explain --dry-run"])("explains who took what where nothing is left: %s", (words) =>
  withHome(async (home) => {
    await writeRun(home, { attempts: ["shop/a", "shop/b", "zoo/c", "zoo/d"].map((item) => ({ item })) });
    const filter = "confidence>=0.9 and kind=group";
    const asked = `export --skill sql --base none ${words}`;
    const { stdout, stderr, exitCode } = await tracemill(home, asked, "--filter", filter);
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/^EMPTY_SELECTION: /)]);
    const table = /^examples +4\n- filter: confidence>=0.9 +0\n- filter: kind='group' +4 +2026.*\n +2026.*\n +2026.*$/m;
    expect(stdout).toMatch(table);
    const inJson = await tracemill(home, asked, "--filter", filter, "--json");
    const [explained, refused] = inJson.stderr.split("\n").map((line) => JSON.parse(line));
    expect([inJson.exitCode, inJson.stdout, refused.refusal.code]).toEqual([2, "", "EMPTY_SELECTION"]);
    expect(explained).toMatchObject({ event: "explained", examples: 4, clauses: [{ count: 0 }, { count: 4 }] });
  }),
);

it("asks for a permission for an unknown model's answers, unless the proxy recorded them, joined with a log or not, before a server of the user's own", () =>
  withHome(async (home) => {
    const run = (skill: string, number: number, of: Partial<RunDraft> & Pick<AttemptDraft, "api">) => {
      const { api, ...more } = of;
      const answer = {
        query: `SELECT ${number}`,
        model: "finetune-7",
        baseHash: null,
        ...(api !== undefined && { api }),
      };
      return writeRun(home, { isForeign: true, skill, number, attempts: [{ item: "shop/a", ...answer }], ...more });
    };
    const api = "chat";
    await run("imported", 1, {});
    await run("hosted", 2, { api, upstream: "https://api.example.com/v1" });
    await run("own", 3, { api, upstream: "http://127.0.0.1:8000/v1" });
    await run("joined", 4, { api, joined: 3 });
    await run("joined-hosted", 5, { api, joined: 2 });
    await run("joined-unmatched", 6, { joined: 3 });
    expect(await exported(home, "--skills all --base none --near off --out own.jsonl", "skill")).toEqual([
      "joined",
      "own",
    ]);
    const allowed = "--skills all --base none --near off --allow-teacher finetune-7 --out allowed.jsonl";
    expect(await exported(home, allowed, "skill")).toEqual([
      "hosted",
      "imported",
      "joined",
      "joined-hosted",
      "joined-unmatched",
      "own",
    ]);
  }));

it("leaves one skill out of all, to judge transfer on it", () =>
  withHome(async (home) => {
    await writeRun(home, { number: 1, skill: "stig", attempts: [{ item: "sshd/a" }] });
    await writeRun(home, { number: 2, skill: "sql", attempts: [{ item: "shop/a" }] });
    await writeRun(home, { number: 3, skill: "cron", attempts: [{ item: "day/a" }] });
    expect(await exported(home, "--skills all --out all.jsonl", "skill")).toEqual(["cron", "sql", "stig"]);
    expect(await exported(home, "--skills all,-stig --out rest.jsonl", "skill")).toEqual(["cron", "sql"]);
    const none = await tracemill(home, "export --skills all,-stig,-sql,-cron");
    expect([none.exitCode, none.stderr]).toEqual([2, expect.stringMatching(/^NO_SKILL_LEFT: /)]);
    const wrong = await tracemill(home, "export --skills all,-stg");
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringMatching(/^UNKNOWN_SKILL: [\s\S]*"stig"/)]);
  }));

it("takes rows under a retired tip only where they are included, and the manifest says so", () =>
  withHome(async (home) => {
    const attempts = [{ item: "shop/a" }, { item: "shop/b", tip: "A lesson. ", query: "SELECT 2" }];
    const { run } = await writeRun(home, { attempts });
    const why = { reason: "it misleads", rule: "hand" as const, mergedInto: null, evidence: null };
    appendLedger(home, { type: "tip_retired", data: { tip: TIP, skill: "sql", run, ...why } }, systemClock);
    expect(await exported(home, "--skill sql --out default.jsonl", "item")).toEqual(["sql:shop/a"]);
    const both = "--skill sql --include retired --out both.jsonl";
    expect(await exported(home, both, "item")).toEqual(["sql:shop/a", "sql:shop/b"]);
    const { stdout } = await tracemill(home, "export --skill sql --include retired --json");
    expect(JSON.parse(stdout).manifest.gatesOff).toEqual(["retired-tip"]);
  }));

it("explains with three examples of each clause and of each gate, and writes nothing in a dry run", () =>
  withHome(async (home) => {
    const missed = [1, 2, 3, 4].map((n) => ({ item: `shop/missed-${n}`, verdicts: MISSED }));
    const cut = { item: "zoo/cut", finishReason: "length" };
    await writeRun(home, { attempts: [{ item: "shop/a" }, ...missed, cut, { item: "moon/a" }] });
    const filter = ["--filter", "eval_passed=true and family in (shop, zoo)"];
    const { stdout, exitCode } = await tracemill(home, "export --skill sql --explain --dry-run", ...filter);
    expect(exitCode).toBe(0);
    const lines = stdout.split("\n").map((line) => line.trim().replaceAll(/ {2,}/g, " | "));
    const turn = (item: string) => `20261101-120001-0000/sql:${item}/1#1`;
    const at = lines.indexOf(`- filter: eval_passed=true | 4 | ${turn("shop/missed-1")}`);
    expect(lines.slice(at + 1, at + 3)).toEqual([turn("shop/missed-2"), turn("shop/missed-3")]);
    expect(lines.slice(at + 3)).toEqual([
      `- filter: family in ('shop', 'zoo') | 1 | ${turn("moon/a")}`,
      `- truncated | 1 | ${turn("zoo/cut")}`,
      "= train rows | 1",
      "= validation rows | 0",
      "1 item; the training rows are of 1 family",
      "from 1 run",
      "dry run: nothing was written",
    ]);
  }));

it("puts every role's good answers into one dataset, counted as those of each role are", () =>
  withHome(async (home) => {
    const { tips } = await writeTaughtRun(home, TAUGHT);
    const effects = tips.map((tip, i) => ({ tip, effect: TAUGHT[i]?.effect ?? 0 }));
    await writeDrawnRun(home, effects, { number: 2, items: 400, seed: 1 });
    await writeRun(home, { number: 3, attempts: [{ item: "shop/a" }, { item: "shop/b", query: "SELECT 2" }] });
    const counted = async (role: string) => {
      const { stdout } = await tracemill(home, `export --role ${role} --near off --filter label=true --json`);
      return JSON.parse(stdout) as { manifest: DatasetManifest; folder: string };
    };
    const worker = (await counted("worker")).manifest;
    const reflector = (await counted("reflector")).manifest;
    const { manifest, folder } = await counted("all");
    expect(manifest).toMatchObject({ role: "all", tier: "demonstrations" });
    expect(worker.counts.trainRows).toBeGreaterThan(0);
    expect(reflector.counts.trainRows).toBeGreaterThan(0);
    expect(manifest.counts.trainRows).toBe(worker.counts.trainRows + reflector.counts.trainRows);
    expect(manifest.counts.examples).toBe(worker.counts.examples + reflector.counts.examples);
    expect(manifest.clauses).toMatchObject([
      { clause: "label=true", count: (worker.clauses[0]?.count ?? 0) + (reflector.clauses[0]?.count ?? 0) },
    ]);
    const lines = (await readFile(join(folder, "train.jsonl"), "utf8")).trim().split("\n");
    expect(new Set(lines.map((line) => JSON.parse(line).role))).toEqual(new Set(["worker", "reflector"]));
    const refused = await tracemill(home, "export --role all --tier reranker-pairs --format triplets");
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringContaining("--role all --tier reranker-pairs"),
    ]);
  }));
