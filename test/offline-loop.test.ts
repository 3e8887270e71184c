/**
 * Nothing leaves the host: the whole loop passes inside a network namespace that has only loopback. And nothing is lost:
 * it is killed on the way in three stages, and each time goes on where it was.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";
import { homeAt } from "../src/store/home.ts";
import { findIsolation, startBehind } from "./fixtures/isolation.ts";
import { tinyBase } from "./fixtures/tiny-base.ts";
import { eventsOf, only } from "./harness/setting.ts";

const STAGES = ["base", "collect", "watch", "export", "train", "validate"];

const stagesSchema = z.record(z.string(), z.looseObject({ startedAt: z.string() }));
const journalSchema = z.object({ stages: stagesSchema, notes: z.record(z.string(), z.string()) });
const resultSchema = z.object({
  runs: z.object({ train: z.array(z.string()), validation: z.array(z.string()) }),
  datasetHash: z.string(),
  adapterHash: z.string(),
  decision: z.looseObject({
    verdict: z.enum(["better", "worse", "inconclusive"]),
    hasPassed: z.boolean(),
    arms: z.array(z.looseObject({ runs: z.array(z.looseObject({ run: z.string() })), n: z.int() })),
  }),
  stages: stagesSchema,
});

const eventSchema = z.looseObject({ event: z.string(), title: z.string().default(""), done: z.int().default(0) });
type Event = z.infer<typeof eventSchema>;

const { ways, lacking } = await findIsolation();
if (lacking !== null) console.log(`skipped: no network namespace can be made here; the loop runs without (${lacking})`);

it.skipIf(lacking !== null).each(ways)(
  "a call out of $name's namespace fails, and one to loopback does not",
  async (way) => {
    const script = `
    const net = require("node:net");
    const reach = (host, port) => new Promise((done) => {
      const socket = net.connect({ host, port, timeout: 3000 });
      socket.on("connect", () => done("connected")).on("error", (e) => done(e.code)).on("timeout", () => done("timeout"));
    });
    const server = net.createServer().listen(0, "127.0.0.1", async () => {
      const own = await reach("127.0.0.1", server.address().port);
      const outside = await reach("192.0.2.1", 80);
      console.log(JSON.stringify({ own, outside }));
      process.exit(0);
    });`;
    const { stdout } = await startBehind(way, [process.execPath, "-e", script]);
    expect(JSON.parse(stdout)).toEqual({ own: "connected", outside: "ENETUNREACH" });
  },
);

describe(`the whole loop ${lacking === null ? "where only loopback is" : "without a namespace"}`, () => {
  let path: string;

  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), "tracemill-offline-"));
  });

  afterAll(() => rm(path, { recursive: true, force: true }));

  function tracemill(...words: string[]) {
    const skills = join(PACKAGE_FOLDER, "test", "fixtures", "skills");
    const env = { TRACEMILL_HOME: path, TRACEMILL_SKILLS: skills };
    return startBehind(ways[0], [process.execPath, "bin/tracemill.js", ...words], env);
  }

  async function journal() {
    const files = await readdir(join(path, "loops"));
    const texts = await Promise.all(files.map((file) => readFile(join(path, "loops", file), "utf8")));
    const journals = texts.map((text) => journalSchema.parse(JSON.parse(text)));
    const [collecting, training] = journals.sort(({ stages }) => ("base" in stages ? -1 : 1));
    return {
      stages: { ...collecting?.stages, ...training?.stages },
      notes: { ...collecting?.notes, ...training?.notes },
    };
  }

  /** Starts the loop and kills it as soon as an event comes that is waited for; returns what the journal has by then. */
  async function killAt(isTime: (event: Event) => boolean) {
    const process = tracemill(...LOOP, "--json");
    for await (const line of process.iterable({ from: "stderr" })) {
      if (isTime(eventSchema.parse(JSON.parse(line)))) process.kill("SIGKILL");
    }
    expect((await process).signal).toBe("SIGKILL");
    return journal();
  }

  const LOOP = ["loop", "--preset", "tiny", "--skill", "parity", "--base", "tiny"];

  it("killed while it collects, trains and validates, goes on where it was and comes to a decision", async () => {
    const base = await tinyBase();
    const added = await tracemill("base", "add", "tiny", "--hf", base.hf, "--gguf", base.gguf);
    expect(added).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("tiny") });

    const collecting = await killAt(({ title, done }) => title === "run parity train" && done >= 5);
    const training = await killAt(({ title }) => title.startsWith("train"));
    const validating = await killAt(({ title, done }) => title === "validate parity" && done >= 3);
    expect([collecting, training, validating].map(({ stages }) => Object.keys(stages))).toEqual([
      STAGES.slice(0, 1),
      STAGES.slice(0, 4),
      STAGES.slice(0, 5),
    ]);

    const last = await tracemill(...LOOP);
    const screen = last.stdout;
    const result = resultSchema.parse(JSON.parse((await tracemill(...LOOP, "--json")).stdout));
    const { decision, runs, stages } = result;
    expect(last.exitCode).toBe(decision.hasPassed ? 0 : 4);

    // What was done before a kill was not done again.
    expect(Object.keys(stages)).toEqual(STAGES);
    for (const { stages: before } of [collecting, training, validating]) expect(stages).toMatchObject(before);
    expect(runs.train).toEqual([collecting.notes.collect]);
    for (const run of [
      ...Object.values(runs).flat(),
      ...decision.arms.flatMap((arm) => arm.runs.map(({ run }) => run)),
    ]) {
      const attempts = only(await eventsOf(homeAt(path), run as never), "verdict").map(({ attempt }) => attempt);
      expect(attempts.length).toBeGreaterThan(0);
      expect(new Set(attempts).size).toBe(attempts.length);
    }
    for (const { runs: ofArm, n } of decision.arms) {
      const run = ofArm[0]?.run as string;
      expect(only(await eventsOf(homeAt(path), run as never), "verdict")).toHaveLength(n);
    }

    expect(screen).toContain(`\n${decision.verdict}: first-try success on held-out families`);
    expect(screen).toMatch(/\nbase .*, collect .*, watch .*, export .*, train .*, validate /);
    expect(screen).toContain("npx tracemill status");
    expect(screen).not.toContain("npx tracemill ask"); // the skill takes no free questions

    const report = await readFile(join(path, "report.md"), "utf8");
    expect(report).toContain(`**${decision.verdict}: first-try success`);
    expect(report).toContain("## 5 items before and after");
    for (const place of [result.datasetHash, result.adapterHash, ...runs.train]) expect(report).toContain(place);

    expect(await tracemill("verify")).toMatchObject({ exitCode: 0 });

    const { stdout: status } = await tracemill("status");
    expect(status).toContain(decision.verdict);
    expect(status).toContain(
      `next: tracemill ${decision.verdict === "better" ? "serve --base tiny" : "run --skill parity"}`,
    );

    const query = "SELECT count(*) AS n FROM parity.attempts WHERE eval_passed IS NULL";
    const unjudged = await tracemill("sql", query, "--json");
    expect(JSON.parse(unjudged.stdout)).toMatchObject({ rows: [{ n: 0 }] });
  }, 900_000);
});
