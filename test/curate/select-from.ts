/** Selects from runs that a test describes, in a home of their own. */
import { parseFilter, type SelectionSettings, selectExamples } from "../../src/curate/index.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import type { RunId, TipId } from "../../src/records/ids.ts";
import type { Revocation } from "../../src/records/ledger-entries.ts";
import type { AnswerRow, PairRow } from "../../src/records/selection.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { openTexts } from "../../src/store/recorded-texts.ts";
import { listRuns } from "../../src/store/runs.ts";
import { withHome } from "../store/sample-run.ts";
import { settingsOf } from "./selection-settings.ts";
import { type RunDraft, writeRun } from "./written-run.ts";

export interface Overrides extends Partial<SelectionSettings> {
  expression?: string;
  /** Runs after the lake was opened and before anything is selected. */
  meanwhile?: () => Promise<unknown>;
}

export async function select(home: Home, { expression = "split != nothing", meanwhile, ...rest }: Overrides = {}) {
  const lake = await openLake(home);
  await meanwhile?.();
  const texts = openTexts(home);
  try {
    const runs = (await listRuns(home)).filter(({ isSealed }) => isSealed).map(({ run }) => run);
    const settings = settingsOf(runs, { filter: parseFilter(expression), ...rest });
    const selection = await selectExamples({ lake, texts, spillFolder: home.path }, settings);
    const rows: AnswerRow[] = [];
    const pairs: PairRow[] = [];
    for await (const row of selection.rows()) {
      if (row.kind === "answer") rows.push(row);
      else if (row.kind !== "reranker-pair") pairs.push(row);
    }
    selection.close();
    const { examples, chosen, clauses, duplicates } = selection;
    return { rows, pairs, refusals: selection.refusals.counts(), examples, chosen, clauses, duplicates };
  } finally {
    texts.close();
    lake.close();
  }
}

export interface Said {
  retired?: TipId;
  /** Given the runs as they were written. */
  revoked?: (written: { run: RunId; turns: string[] }[]) => Pick<Revocation, "kind" | "target">;
}

export const selectFrom = (runs: RunDraft[], { retired, revoked, ...overrides }: Overrides & Said = {}) =>
  withHome(async (home) => {
    const written: { run: RunId; turns: string[] }[] = [];
    for (const [i, run] of runs.entries()) written.push(await writeRun(home, { number: i + 1, ...run }));
    if (retired !== undefined) retire(home, retired, written[0]?.run as RunId);
    if (revoked !== undefined) {
      appendLedger(home, { type: "revoked", data: { ...revoked(written), reason: "it was bad" } }, systemClock);
    }
    return { written, ...(await select(home, overrides)) };
  });

function retire(home: Home, tip: TipId, run: RunId): void {
  const why = { reason: "it misleads", rule: "hand" as const, mergedInto: null, evidence: null };
  appendLedger(home, { type: "tip_retired", data: { tip, skill: "sql", run, ...why } }, systemClock);
}
