/** Sealed runs in which every role has turns, each of which a test describes; and runs that draw tips of known effects. */
import { steppingClock, systemClock } from "../../src/foundation/clock.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import { random } from "../../src/foundation/random.ts";
import { sumOf } from "../../src/foundation/sums.ts";
import type { ArchitectDecision, EventData, Role } from "../../src/records/events.ts";
import {
  type AttemptId,
  attemptId,
  type ItemId,
  itemId,
  type RunId,
  type TipId,
  turnId,
} from "../../src/records/ids.ts";
import type { Split } from "../../src/records/item.ts";
import type { Tip } from "../../src/records/tip.ts";
import type { Verdict } from "../../src/records/verdict.ts";
import type { Home } from "../../src/store/home.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { createRunLog } from "../../src/store/run-log.ts";
import { sealRun } from "../../src/store/runs.ts";
import { sampleRunId, sampleVerdict } from "../store/sample-run.ts";

/** Writes the events of one run; an item is named by its native id, whose part before the slash is its family. */
export interface RoleWriter {
  run: RunId;
  /** A role's turn in attempt `n` at an item; returns its id. */
  turn(role: Role, item: string, n: number, own?: Partial<EventData<"turn">> & { answer?: string }): string;
  verdict(item: string, n: number, own?: Partial<Verdict>): void;
  /** A selection, with its turn. */
  select(item: string, own?: Partial<ArchitectDecision>): string;
  /** Any other choice, with its turn in the attempt that comes next. */
  choose(choice: ArchitectDecision["choice"], item: string, n: number, own?: Partial<ArchitectDecision>): string;
  finish(item: string, state: "solved" | "unsolved" | "skipped", reason?: "architect" | "run-budget"): void;
  tip(item: string, n: number, text: string): TipId;
}

/** Seals a run over these items. */
export async function writeRoleRun(
  home: Home,
  { number = 1, split = "train", model = "smollm2", items }: RoleRunDraft,
  write: (writer: RoleWriter) => void,
): Promise<RunId> {
  const run = sampleRunId(number);
  const clock = steppingClock(new Date(`2026-11-01T12:00:${String(number).padStart(2, "0")}.000Z`), 1);
  const log = createRunLog(home, { run, clock });
  log.append({ type: "run_started", data: startOf(run, split, model) });
  const scanned = items.map((item) => {
    const family = item.split("/", 1)[0] as string;
    return { item: idOf(item), family, split, kind: null, task: `Task ${item}`, detail: {} };
  });
  log.append({ type: "items_scanned", data: { items: scanned } });
  const taken = new Map<AttemptId, number>();
  let selections = 0;

  function turnOf(role: Role, attempt: AttemptId, own: Partial<EventData<"turn">> & { answer?: string }): string {
    const k = (taken.get(attempt) ?? 0) + 1;
    taken.set(attempt, k);
    const turn = turnId(attempt, k);
    const { answer = "An answer.", ...rest } = own;
    log.append({
      type: "turn",
      data: {
        ...{ turn, attempt, role, phase: "act", tools: null, finishReason: "stop", latencyMs: 0, request: {} },
        messages: [log.message({ role: "user", content: `${role} of ${attempt.slice(run.length)}` })],
        response: log.message({ role: "assistant", content: answer }),
        ...{ usage: null, modelAnswered: model, baseHash: hashText(model), adapterHash: null },
        ...{ parseFlags: [], retrievals: [], tipSpans: [] },
        ...rest,
      },
    });
    return turn;
  }
  const decide = (decision: Pick<ArchitectDecision, "item" | "turn" | "choice">, own: Partial<ArchitectDecision>) =>
    log.append({
      type: "architect_decided",
      data: { plan: null, isFallback: false, reason: null, ...decision, ...own },
    });
  const at = (item: string, n: number) => attemptId(run, idOf(item), n);

  write({
    run,
    turn: (role, item, n, own = {}) => turnOf(role, at(item, n), own),
    verdict: (item, n, own = {}) =>
      log.append({ type: "verdict", data: { attempt: at(item, n), verdict: verdictOf(own) } }),
    select(item, own = {}) {
      const turn = turnOf("architect", attemptId(run, itemId("sql", "@select"), ++selections), {});
      decide({ item: idOf(item), turn: turn as never, choice: "select" }, own);
      return turn;
    },
    choose(choice, item, n, own = {}) {
      const turn = turnOf("architect", at(item, n), {});
      decide({ item: idOf(item), turn: turn as never, choice }, own);
      return turn;
    },
    finish(item, state, reason) {
      const data = { item: idOf(item), state, attempts: 1, passed: 0 };
      log.append({ type: "item_finished", data: reason === undefined ? data : { ...data, reason } });
    },
    tip(item, n, text) {
      const tip = tipOf(run, item, at(item, n), text);
      log.append({ type: "tip_saved", data: tip });
      return tip.tip;
    },
  });
  log.append({ type: "run_finished", data: { items: items.length, attempts: 0, passed: 0, failures: 0 } });
  log.close();
  await sealRun(home, run, clock);
  return run;
}

export interface RoleRunDraft {
  number?: number;
  split?: Split;
  model?: string;
  items: readonly string[];
}

/** A reflector's answer that holds these tips. */
export function lessons(...texts: string[]): string {
  return JSON.stringify({ tips: texts.map((text) => ({ type: "strategy", text, mechanism: "", conditions: "" })) });
}

/** Gives a verdict to an attempt whose run is sealed. */
export function recheck(home: Home, attempt: AttemptId, own: Partial<Verdict>): void {
  const run = attempt.slice(0, 20) as RunId;
  appendLedger(
    home,
    { type: "verdict_given", data: { run, attempt, origin: "reverify", verdict: verdictOf(own) } },
    systemClock,
  );
}

export interface DrawnEffect {
  tip: TipId;
  effect: number;
}

/**
 * Seals a run whose every prompt retrieves all these tips, one half of them dropped, and whose attempts pass with one half plus
 * the effects of those shown. `dropTogether`: one coin for all. Without `dropProbability` every tip is always shown.
 */
export async function writeDrawnRun(
  home: Home,
  tips: readonly DrawnEffect[],
  { number, items, dropProbability = 0.5, dropTogether = false, seed = 1 }: DrawnRunDraft,
): Promise<RunId> {
  const draws = random(seed, "drawn-run", number);
  const names = Array.from({ length: items }, (_, i) => `drawn-${i}/a`);
  return writeRoleRun(home, { number, items: names }, (writer) => {
    for (const item of names) {
      const coin = draws.next();
      const retrievals = tips.map(({ tip }, i) => {
        const isDropped = (dropTogether ? coin : draws.next()) < dropProbability;
        return { tip, rank: i + 1, score: 1, dropProbability, isDropped, isRendered: !isDropped };
      });
      const shift = sumOf(tips, ({ effect }, i) => (retrievals[i]?.isDropped ? 0 : effect));
      writer.turn("worker", item, 1, { retrievals });
      writer.verdict(item, 1, draws.next() < 0.5 + shift ? {} : MISSED);
    }
  });
}

export interface DrawnRunDraft {
  number: number;
  items: number;
  dropProbability?: number;
  dropTogether?: boolean;
  seed?: number;
}

/** What the verdict of a failed attempt has. */
export const MISSED: Partial<Verdict> = { passed: false, value: 0, failureMode: "wrong-rows" };

function verdictOf(own: Partial<Verdict>): Verdict {
  return { ...sampleVerdict(true), ...own };
}

function idOf(item: string): ItemId {
  return itemId("sql", item);
}

function tipOf(run: RunId, item: string, attempt: AttemptId, text: string): Tip {
  return {
    tip: `tip-${hashText(`${run} ${item} ${text}`).slice(0, 16)}` as TipId,
    skill: "sql",
    family: item.split("/", 1)[0] as string,
    type: "strategy",
    text,
    ...{ example: null, mechanism: null, conditions: null, about: text },
    source: { run, item: idOf(item), attempt },
  };
}

function startOf(run: RunId, split: Split, model: string): EventData<"run_started"> {
  return {
    run,
    skill: { id: "sql", version: "1", hash: hashText("sql") },
    models: { worker: { name: model, endpoint: "", baseHash: hashText(model), adapterHash: null } },
    sampling: { temperature: 0.8, topP: 1, maxTokens: 128 },
    ...{ seed: 1, split, memory: "grow", tipRuns: [], codeVersion: "0.1.0", config: {}, comparison: null },
  };
}
