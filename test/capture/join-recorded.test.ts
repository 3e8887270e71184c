/** A log that cuts its texts, joined with the calls that the proxy recorded of the same run. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { align, type Heard, type Told } from "../../src/capture/align.ts";
import { type RunningProxy, startRecording } from "../../src/capture/index.ts";
import type { SealedRecording } from "../../src/capture/recorded-run.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import type { Turn } from "../../src/records/events.ts";
import { plainSplits } from "../../src/skills/skill-splits.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { coveredRuns } from "../../src/store/ledger.ts";
import { listRuns } from "../../src/store/run-log.ts";
import { eventsOf, only, temporaryHome } from "../harness/setting.ts";
import { FIXTURES, importInto } from "./importers/setting.ts";
import { type StubUpstream, startStubUpstream } from "./stub-upstream.ts";

const told = (text: string | null, role = "worker", script?: string): Told => ({
  ...{ role, text },
  calls: script === undefined ? [] : [{ name: "apply", arguments: { script } }],
});
const heard = (text: string, prompt = "work", script?: string): Heard => ({
  ...{ prompt, texts: text === "" ? [] : [text] },
  calls: script === undefined ? [] : [{ name: "apply", arguments: { script } }],
});
const LONG = "a text that is long enough to be cut somewhere behind its sixtieth character, and goes on";

describe("two records of the same turns", () => {
  it("are matched in their order, with texts and arguments that one of them cut", () => {
    const log = [told("one"), told(LONG.slice(0, 70)), told("done", "worker", LONG.slice(0, 65))];
    const calls = [heard("nobody's"), heard("one"), heard(LONG), heard("done", "work", LONG)];
    expect(align(log, calls)).toEqual({ matched: [1, 2, 3], ambiguous: 0 });
  });

  it("leave alone what fits two places", () => {
    const same = align(
      [told("start"), told("again"), told("end")],
      [heard("start"), heard("again"), heard("again"), heard("end")],
    );
    expect(same).toEqual({ matched: [0, null, 3], ambiguous: 1 });
  });

  it("tell places apart by what lies between, where both repeat themselves", () => {
    const log = [told("again"), told("between"), told("again")];
    expect(align(log, [heard("again"), heard("between"), heard("again")]).matched).toEqual([0, 1, 2]);
  });

  it("do not match across roles, as the prompts of most pairs tell them", () => {
    const log = [told("a", "architect"), told("b"), told("c"), told("d")];
    expect(align(log, [heard("a"), heard("b"), heard("c"), heard("d")])).toEqual({
      matched: [null, 1, 2, 3],
      ambiguous: 1,
    });
  });

  it("do not match where a short text differs, or a call's arguments do", () => {
    expect(align([told("short")], [heard("short and more")]).matched).toEqual([null]);
    expect(align([told(null, "worker", "x")], [heard("", "work", "y")]).matched).toEqual([null]);
  });
});

interface TruthCall {
  kind: string;
  run: string;
  seq: number;
  role: string;
  http_status: number;
  request: Record<string, unknown>;
  response: { message: unknown; finish_reason: string } | null;
}

describe("a log with its calls", () => {
  let home: Home;
  let remove: () => void;
  let upstream: StubUpstream;
  let proxy: RunningProxy;
  let answers: Pick<TruthCall, "http_status" | "response">[];

  beforeEach(async () => {
    ({ home, remove } = temporaryHome());
    let asked = 0;
    upstream = await startStubUpstream(() => {
      const call = answers[asked++] as TruthCall;
      if (call.response === null) return { status: call.http_status, pieces: ["{}"] };
      const choices = [{ index: 0, ...call.response }];
      return { pieces: [JSON.stringify({ id: "c", object: "chat.completion", created: 1, model: "gemma", choices })] };
    });
    proxy = await startRecording({
      ...{
        home,
        upstream: upstream.url,
        host: "127.0.0.1",
        port: 0,
        skill: "stig",
        splits: plainSplits("stig"),
        codeVersion: "t",
        config: {},
      },
      ...{ clock: systemClock, durability: "kernel", verify: null, idleMs: 3_600_000, timeoutMs: 5000 },
      ...{ onSealed: () => {}, onBug: () => {} },
    });
  });

  afterEach(async () => {
    await proxy.close();
    await upstream.close();
    remove();
  });

  it("is said to be joined by the next import, where the one that did it ended too early", async () => {
    const answer = { role: "assistant", content: "All of the plums are ripe." };
    const asked = { role: "user", content: "Which plums are ripe?" };
    answers = [{ http_status: 200, response: { message: answer, finish_reason: "stop" } }];
    await fetch(`${proxy.url}/r/plums/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "m", messages: [asked] }),
    });
    const sealed = (await (await fetch(`${proxy.url}/r/plums/finish`, { method: "POST" })).json()) as SealedRecording;
    const file = join(home.path, "rows.jsonl");
    writeFileSync(file, `${JSON.stringify({ id: "a", reward: 1, messages: [asked, answer] })}\n`);
    const first = await importInto(home, file, { onto: "plums" });
    expect(first.joined).toMatchObject({ turns: 1, matched: 1 });
    const said = new Map([[sealed.run, first.imported[0]?.run]]);
    expect(coveredRuns(home)).toEqual(said);
    const lines = readFileSync(home.ledger, "utf8").trimEnd().split("\n");
    writeFileSync(home.ledger, `${lines.slice(0, -1).join("\n")}\n`);
    expect(coveredRuns(home)).toEqual(new Map());
    await importInto(home, file, { onto: "plums" });
    expect(coveredRuns(home)).toEqual(said);
    await importInto(home, file, { onto: "plums" });
    expect(readFileSync(home.ledger, "utf8").trimEnd().split("\n")).toHaveLength(lines.length);
  });

  const forge = it.skipIf(FIXTURES === null);
  forge.each(["stig-1", "stig-2"])(
    "of gemma-forge gives %s complete, labelled attempts",
    { timeout: 120_000 },
    async (name) => {
      const source = join(FIXTURES as string, "gemma-forge");
      const truth = gunzipSync(readFileSync(join(source, "truth.jsonl.gz")))
        .toString()
        .trimEnd()
        .split("\n");
      const made = truth
        .map((line) => JSON.parse(line) as TruthCall)
        .filter(({ kind, run }) => kind === "llm" && run === name);
      answers = made;
      for (const { request } of made) {
        await fetch(`${proxy.url}/r/${name}/v1/chat/completions`, { method: "POST", body: JSON.stringify(request) });
      }
      const sealed = (await (await fetch(`${proxy.url}/r/${name}/finish`, { method: "POST" })).json()) as {
        run: string;
      };
      const ledger = JSON.parse(readFileSync(join(source, "ledger.json"), "utf8")).runs[name];
      const report = await importInto(home, join(source, ledger.files.log), { format: "gemma-forge", onto: name });
      const [joined] = report.imported;
      const events = await eventsOf(home, joined?.run as never);
      const calls = only(await eventsOf(home, sealed.run as never), "turn");
      const seqOf = new Map(calls.map(({ turn }, i) => [turn as string, made[i]?.seq]));
      const worker = only(events, "turn").filter(
        (turn): turn is Turn => turn.role === "worker" && turn.recordedAs !== undefined && turn.response !== null,
      );
      const right = new Set<string>();
      for (const { rule_id, attempt, llm_seqs } of ledger.attempts) {
        for (const seq of llm_seqs) right.add(`stig:${rule_id}/${attempt} ${seq}`);
      }
      const ok = worker.filter((turn) =>
        right.has(`${turn.attempt.slice(21)} ${seqOf.get(turn.recordedAs as string)}`),
      );
      const answered = new Set(made.filter(({ response }) => response !== null).map(({ seq }) => seq));
      const all = [...right].filter((one) => answered.has(Number(one.split(" ")[1])));
      const figures = { precision: ok.length / worker.length, recall: ok.length / all.length, calls: all.length };
      console.log(`${name}: ${JSON.stringify({ ...figures, ...report.joined })}`);
      expect(ok.length).toBe(worker.length);
      expect(figures.recall).toBeGreaterThan(0.9);
      expect(worker.every(({ missing, tools }) => missing === undefined && tools !== null)).toBe(true);
      const lake = await openLake(home);
      const [row] = await lake.query(
        `SELECT count(*) AS n FROM examples WHERE run = '${joined?.run}' AND "role" = 'worker' AND eval_passed AND messages IS NOT NULL`,
      );
      lake.close();
      expect(Number(row?.n)).toBeGreaterThan(20);
      expect((await listRuns(home)).map(({ command }) => command).toSorted()).toEqual(["import", "record"]);
    },
  );
});
