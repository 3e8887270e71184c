/** A log that is imported both as it is and joined with its recorded calls: the joined run stands, as it holds more. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { giveOutcome } from "../../src/capture/late-verdicts.ts";
import { readOutcome } from "../../src/capture/outcome.ts";
import { chosenRuns } from "../../src/commands/chosen-runs.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { attemptId, type ItemId, type RunId } from "../../src/records/ids.ts";
import { revoke } from "../../src/registry/index.ts";
import { coveredRuns, lateVerdicts, revocations } from "../../src/store/ledger.ts";
import { folder, freshFolders, home, importInto } from "./importers/setting.ts";
import { recordCalls } from "./replayed-calls.ts";

const ASKED = { role: "user", content: "Which plums are ripe?" };
const ANSWER = { role: "assistant", content: "All of the plums are ripe." };

/** Imports a night's rows, of which the first is the recorded call. */
async function importNight(
  options: { onto?: string; skill?: string },
  items: readonly string[] = ["a"],
  question = ASKED.content,
) {
  const file = join(folder, "night.jsonl");
  const rows = items.map((id, i) => {
    const content = i === 0 ? question : `${question} Those of ${id}.`;
    return JSON.stringify({ id, reward: 1, messages: [{ ...ASKED, content }, ANSWER] });
  });
  writeFileSync(file, rows.map((row) => `${row}\n`).join(""));
  const { imported, known, leftOut, replaced } = await importInto(home, file, options);
  return { run: imported[0]?.run ?? (known[0] as RunId), leftOut, replaced: replaced.map((one) => one.replaced) };
}

const standing = async (skill: string) => (await chosenRuns(home, [skill])).runs.map(({ run }) => run);

describe("a joined log", () => {
  freshFolders();

  beforeEach(async () => {
    const response = { message: ANSWER, finish_reason: "stop" };
    await recordCalls(home, "plums", [{ http_status: 200, request: { model: "m", messages: [ASKED] }, response }]);
  });

  it("stands on where the log is imported as it is once more, or has grown", async () => {
    const plain = await importNight({ skill: "stig" });
    const joined = await importNight({ onto: "plums" });
    expect(joined.replaced).toEqual([plain.run]);
    expect(await importNight({ skill: "stig" })).toEqual({
      run: plain.run,
      leftOut: [{ run: plain.run, coveredBy: joined.run }],
      replaced: [],
    });
    const grown = await importNight({ skill: "stig" }, ["a", "b"]);
    expect(grown.replaced).toEqual([]);
    expect((await standing("stig")).toSorted()).toEqual([joined.run, grown.run].toSorted());
    const whole = await importNight({ onto: "plums" }, ["a", "b"]);
    expect(whole.replaced.toSorted()).toEqual([joined.run, grown.run].toSorted());
    expect(await standing("stig")).toEqual([whole.run]);
  });

  it("replaces the log alone whatever that is about, with what was said of it, and what is revoked of the one is of the other", async () => {
    const plain = await importNight({});
    const outcome = { run: plain.run, item: "a", value: 0, verifier: { id: "gardener", version: "1" } };
    await giveOutcome({ home, clock: systemClock }, readOutcome(outcome));
    const joined = await importNight({ onto: "plums" });
    expect(joined.replaced).toEqual([plain.run]);
    expect(coveredRuns(home).get(plain.run)).toBe(joined.run);
    expect(await standing("stig")).toEqual([joined.run]);
    const attempt = attemptId(joined.run, "stig:a" as ItemId, 1);
    expect([...lateVerdicts(home)].at(-1)).toMatchObject({ run: joined.run, attempt, verdict: { value: 0 } });
    const given = { target: attemptId(plain.run, "chat:a" as ItemId, 1), reason: "unripe", clock: systemClock };
    await revoke(home, given);
    expect(revocations(home).map(({ target }) => target)).toEqual([given.target, attempt]);
  });

  it("replaces what was joined of the same log under another skill, and no other night's rows", async () => {
    const asFruit = await importNight({ onto: "plums", skill: "fruit" });
    expect((await importNight({ onto: "plums" }, ["a", "b"])).replaced).toEqual([asFruit.run]);
    const other = await importNight({}, ["a"], "Which figs are ripe?");
    expect(other.replaced).toEqual([]);
    expect(await standing("chat")).toEqual([other.run]);
  });
});
