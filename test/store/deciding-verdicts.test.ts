/** Which of an attempt's verdicts decides, of its log and of the ledger: a check's before a person's word. */
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import type { AttemptId } from "../../src/records/ids.ts";
import type { Verdict } from "../../src/records/verdict.ts";
import type { Home } from "../../src/store/home.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { writeRun } from "../curate/written-run.ts";
import { ask } from "./ask-lake.ts";
import { sampleVerdict, withHome } from "./sample-run.ts";

const said = (signalType: Verdict["signalType"], passed: boolean): Partial<Verdict> => ({
  ...{ signalType, passed, value: passed ? 1 : 0, verifier: { id: signalType, version: "1" } },
});
const check = (passed: boolean) => said("binary", passed);
const person = (passed: boolean) => said("behavioral", passed);
const judge = (passed: boolean) => said("judgment", passed);

interface Given {
  logged: Partial<Verdict>[];
  late?: Partial<Verdict>[];
  /** A verifier's id. */
  revoked?: string;
}

async function writeAttempt(home: Home, { logged, late = [], revoked }: Given): Promise<void> {
  const { run, turns } = await writeRun(home, { attempts: [{ item: "shop/a", verdicts: logged }] });
  const attempt = turns[0]?.split("#", 1)[0] as AttemptId;
  for (const one of late) {
    const verdict = { ...sampleVerdict(true), ...one };
    appendLedger(home, { type: "verdict_given", data: { run, attempt, origin: "label", verdict } }, systemClock);
  }
  if (revoked === undefined) return;
  const data = { kind: "verifier" as const, target: `${revoked}@1`, reason: "it was bad" };
  appendLedger(home, { type: "revoked", data }, systemClock);
}

const decidedBy = async (given: Given) =>
  withHome(async (home) => {
    await writeAttempt(home, given);
    const [row] = await ask(home, "SELECT verifier_id, eval_passed, audit_passed, is_revoked FROM attempts");
    return row;
  });

const row = (verifier: string | null, passed: boolean | null, audit: boolean | null) => ({
  ...{ verifier_id: verifier, eval_passed: passed, audit_passed: audit, is_revoked: false },
});

describe("of an attempt's verdicts", () => {
  it.each<[string, Given, ReturnType<typeof row>]>([
    [
      "a check decides, though a person spoke later",
      { logged: [check(false), person(true)] },
      row("binary", false, true),
    ],
    ["a check decides, as it came later too", { logged: [person(true), check(false)] }, row("binary", false, true)],
    ["a graded check decides", { logged: [said("graded", false), person(true)] }, row("graded", false, true)],
    [
      "a person's word stands where there is no check",
      { logged: [judge(false), person(true)] },
      row("behavioral", true, true),
    ],
    [
      "a check of the log stands over a person's late word",
      { logged: [check(false)], late: [person(true)] },
      row("binary", false, true),
    ],
    [
      "a late check decides before a later word",
      { logged: [], late: [check(false), person(true)] },
      row("binary", false, true),
    ],
    [
      "a late check takes the place of a person's word",
      { logged: [person(true)], late: [check(false)] },
      row("binary", false, true),
    ],
    [
      "a person's late word takes the place of an earlier one",
      { logged: [person(true)], late: [person(false)] },
      row("behavioral", false, false),
    ],
    [
      "a person's late word stands beside a judgment",
      { logged: [judge(true)], late: [person(false)] },
      row("behavioral", false, false),
    ],
  ])("%s", async (_, given, expected) => {
    expect(await decidedBy(given)).toEqual(expected);
  });

  it.each<[string, Given, ReturnType<typeof row>]>([
    ["a word of the log", { logged: [check(false), person(true)], revoked: "binary" }, row("behavioral", true, true)],
    ["a late word", { logged: [check(false)], late: [person(true)], revoked: "binary" }, row("behavioral", true, true)],
    [
      "the log's check, whatever was said late",
      { logged: [said("graded", false)], late: [check(true), person(true)], revoked: "binary" },
      row("graded", false, true),
    ],
  ])("a check whose verifier is revoked gives way to %s", async (_, given, expected) => {
    expect(await decidedBy(given)).toEqual(expected);
  });

  it("a person's word that is revoked leaves the check, and no opinion", async () => {
    const given = { logged: [check(true)], late: [person(false)], revoked: "behavioral" };
    expect(await decidedBy(given)).toEqual(row("binary", true, null));
  });
});
