/**
 * What the harness's tests share: a home in a temporary folder, the `letters` skill's items, run options, a log read back.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/foundation/clock.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import type { HarnessOptions } from "../../src/harness/harness-options.ts";
import type { EventType, LoggedEvent } from "../../src/records/events.ts";
import { attemptId, type ItemId, type RunId, type TipId } from "../../src/records/ids.ts";
import type { Item, Split } from "../../src/records/item.ts";
import type { Tip } from "../../src/records/tip.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { readRunLog } from "../../src/store/runs.ts";
import type { ChatRequest, ScriptedAnswer } from "../fixtures/scripted-model.ts";
import letters from "../fixtures/skills/letters/skill.ts";

const IMPATIENCE = { timeoutMs: 2000, tries: 3, backoffMs: 5 };

/** Items of the `letters` skill, each of another family up to 26. */
export async function itemsOf(split: Split, count: number): Promise<Item[]> {
  const drafts = await letters.items({ seed: 0 });
  const byVersion = drafts.toSorted((x, y) => Number(x.item.at(-1)) - Number(y.item.at(-1)));
  return byVersion.slice(0, count).map((draft) => ({ ...draft, split }));
}

/** A temporary home; `remove` deletes it. */
export function temporaryHome(): { home: Home; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "tracemill-harness-"));
  return { home: homeAt(folder), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export async function runOptions(
  setting: { home: Home; url: string; contextTokens?: number },
  changes: Partial<HarnessOptions> = {},
): Promise<HarnessOptions> {
  return {
    home: setting.home,
    skill: letters,
    skillHash: hashText("letters"),
    items: await itemsOf(changes.split ?? "train", 6),
    split: "train",
    roles: {
      worker: {
        ...{ url: setting.url, model: "scripted", name: "scripted", baseHash: null, adapterHash: null },
        ...(setting.contextTokens !== undefined && { contextTokens: setting.contextTokens }),
      },
      architect: { rule: "scan-order" },
      reflector: { rule: "keep-solution" },
    },
    attempts: 2,
    concurrency: 4,
    seed: 1,
    sampling: { temperature: 0.8, topP: 0.95, maxTokens: 20 },
    memory: "none",
    tipRuns: [],
    comparison: null,
    config: {},
    codeVersion: "test",
    patience: IMPATIENCE,
    clock: systemClock,
    signal: new AbortController().signal,
    ...changes,
  };
}

/** A model that is right about half the time and says the same to the same request. */
export function coin(request: ChatRequest): ScriptedAnswer {
  const digest = hashText(JSON.stringify([request.seed, request.messages]));
  return {
    content: `${digest.slice(0, 4)}${Number.parseInt(digest.slice(4, 6), 16) < 128 ? "abcdefghijklmnopqrstuvwxyz" : "0"}`,
  };
}

export async function eventsOf(home: Home, run: RunId): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for await (const event of readRunLog(home, run)) events.push(event);
  return events;
}

export function only<T extends EventType>(events: LoggedEvent[], type: T): Extract<LoggedEvent, { type: T }>["data"][] {
  return events.filter((event) => event.type === type).map((event) => event.data as never);
}

/** A tip of an item about a task, in a family of its own; `n` tells several of one item apart. */
export function tipAbout(item: string, about: string, n = 1): Tip {
  const run = "20260101-000000-abcd" as RunId;
  return {
    tip: `tip-${hashText(`${item} ${n}`).slice(0, 16)}` as TipId,
    skill: "letters",
    family: item,
    type: "strategy",
    text: `${about} done ${n}`,
    example: null,
    mechanism: null,
    conditions: null,
    about,
    source: { run, item: item as ItemId, attempt: attemptId(run, item as ItemId, n) },
  };
}
