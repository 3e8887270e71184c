/** What a verdict that is given later leaves of those before it. */
import { expect, it } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { attemptId, itemId, type RunId } from "../../src/records/ids.ts";
import type { Verdict } from "../../src/records/verdict.ts";
import type { Home } from "../../src/store/home.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { writeRun } from "../curate/written-run.ts";
import { ask } from "./ask-lake.ts";
import { sampleVerdict, withHome } from "./sample-run.ts";

const TOLD: Partial<Verdict> = { before: null, verifier: { id: "someone", version: "1" } };
const NOOP: Partial<Verdict> = { before: { value: 1, passed: true }, flags: ["noop-pass"] };

/** A run of one attempt with this verdict in its log. */
async function judged(home: Home, verdict: Partial<Verdict>) {
  const { run } = await writeRun(home, { attempts: [{ item: "shop/a", verdicts: [verdict] }] });
  return {
    give: (own: Partial<Verdict>) => give(home, run, own),
    says: async () => {
      const [row] = await ask(home, "SELECT verifier_id, eval_passed, before_passed, flags FROM attempts");
      return row;
    },
  };
}

function give(home: Home, run: RunId, own: Partial<Verdict>): void {
  const verdict = { ...sampleVerdict(true), ...own };
  const attempt = attemptId(run, itemId("sql", "shop/a"), 1);
  appendLedger(home, { type: "verdict_given", data: { run, attempt, origin: "outcome", verdict } }, systemClock);
}

it("leaves what was there before the action, and what the attempt and its environment were, where it did not look", () =>
  withHome(async (home) => {
    const flags = ["noop-pass", "environment-suspect", "clipped", "imported", "dirty-exit"] as const;
    const { give, says } = await judged(home, { ...NOOP, flags: [...flags] });
    give(TOLD);
    expect(await says()).toEqual({
      ...{ verifier_id: "someone", eval_passed: true, before_passed: true },
      flags: [...flags].sort(),
    });
  }));

it("settles what verifiers could not tell, and keeps its own flags", () =>
  withHome(async (home) => {
    const { give, says } = await judged(home, { flags: ["conflict", "evaluator-gap", "imported"] });
    give({ ...TOLD, flags: ["imported"] });
    expect(await says()).toMatchObject({ eval_passed: true, before_passed: false, flags: ["imported"] });
    give({ ...TOLD, flags: ["conflict"] });
    expect(await says()).toMatchObject({ eval_passed: null, flags: ["conflict", "imported"] });
  }));

it("takes all of them away where it looked at the state before the action itself", () =>
  withHome(async (home) => {
    const { give, says } = await judged(home, { ...NOOP, flags: ["noop-pass", "environment-suspect"] });
    give({});
    expect(await says()).toMatchObject({ before_passed: false, flags: [] });
  }));

it("leaves what another one that was given later has said, and nothing of what that took away", () =>
  withHome(async (home) => {
    const { give, says } = await judged(home, { flags: ["environment-suspect"] });
    give(NOOP);
    give({ ...TOLD, flags: ["imported"] });
    give(TOLD);
    expect(await says()).toEqual({
      ...{ verifier_id: "someone", eval_passed: true, before_passed: true },
      flags: ["imported", "noop-pass"],
    });
  }));

it("leaves nothing of a verifier that is revoked, be its word of the log or given later", () =>
  withHome(async (home) => {
    const by = { verifier: { id: "first", version: "1" } };
    const { give, says } = await judged(home, { ...by, ...NOOP });
    give({ ...by, ...TOLD, flags: ["environment-suspect"], verifier: by.verifier });
    give(TOLD);
    expect(await says()).toMatchObject({ before_passed: true, flags: ["environment-suspect", "noop-pass"] });
    const revoked = { kind: "verifier" as const, target: "first@1", reason: "it was bad" };
    appendLedger(home, { type: "revoked", data: revoked }, systemClock);
    expect(await says()).toEqual({ verifier_id: "someone", eval_passed: true, before_passed: null, flags: [] });
  }));

it("is judged by what there was before: a no-op that someone calls a pass is one still", () =>
  withHome(async (home) => {
    const { give } = await judged(home, { before: { value: 1, passed: true } });
    give(TOLD);
    expect(await ask(home, "SELECT eval_passed, before_passed FROM examples")).toEqual([
      { eval_passed: true, before_passed: true },
    ]);
  }));
