/** Which revoked tips and verifiers had a part in the runs that are asked about. */
import { expect, it } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import type { Revocation } from "../../src/records/ledger-entries.ts";
import { withLake } from "../../src/store/lake.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { readRevokedParts } from "../../src/store/revoked-parts.ts";
import { TIP, writeRun } from "../curate/written-run.ts";
import { sampleRunId, withHome } from "./sample-run.ts";

const judgedBy = (id: string) => ({ verifier: { id, version: "1" } });
const REVOKED: [Revocation["kind"], string][] = [
  ["tip", TIP],
  ["verifier", "a@1"],
  ["verifier", "rule@1"],
];

it("names the tips in the runs' prompts, the verifiers that judged there, and rules that judged nowhere", () =>
  withHome(async (home) => {
    await writeRun(home, { attempts: [{ item: "shop/one", tip: "A lesson. ", verdicts: [judgedBy("b")] }] });
    await writeRun(home, { number: 2, attempts: [{ item: "shop/two", verdicts: [judgedBy("a")] }] });
    const parts = (number: number) => withLake(home, (lake) => readRevokedParts(lake, [sampleRunId(number)]));
    expect(await parts(1)).toEqual([]);
    for (const [kind, target] of REVOKED)
      appendLedger(home, { type: "revoked", data: { kind, target, reason: "it was bad" } }, systemClock);
    const [tip, verifier, rule] = REVOKED.map(([kind, target]) => ({ kind, target }));
    expect(new Set(await parts(1))).toEqual(new Set([tip, rule]));
    expect(new Set(await parts(2))).toEqual(new Set([verifier, rule]));
  }));
