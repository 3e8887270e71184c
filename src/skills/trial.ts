/**
 * What the contract suite works with: a skill, its items, answers that it reads an action from, and workspaces that
 * are closed whatever happens. A check is one function; it throws where the skill breaks the contract.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashJson } from "../foundation/hashing.ts";
import type { ActionCall } from "../records/events.ts";
import type { Item } from "../records/item.ts";
import type { Message } from "../records/message.ts";
import { type Verdict, verdictSchema } from "../records/verdict.ts";
import { CAN_LIST_PROCESSES, type ChildProcess, livingDescendants } from "./child-processes.ts";
import type { Draft, ParsedAnswer, Skill, Workspace } from "./contract.ts";
import { splitOf } from "./splits.ts";

export const SEED = 1;

/** What a check found besides that the contract holds. */
export type Remark = { kind: "note" | "warning" | "skipped"; text: string };

export interface SuiteCheck {
  /** Says, behind the skill's name, what holds. */
  title: string;
  run(trial: Trial): Promise<Remark | null>;
}

/** One item, an action that solves it where the skill knows one, and one that need not. */
export interface Probe {
  item: Item;
  solution: ActionCall | null;
  other: ActionCall | null;
}

export interface Trial {
  /** What the skill's folder is called. */
  id: string;
  skill: Skill;
  /** The items of one seed, with their splits. */
  items(): Promise<Item[]>;
  probe(): Promise<Probe>;
  /** Opens a workspace, lets it be used, and closes it. */
  within<T>(item: Item, from: string | null, use: (workspace: Workspace) => Promise<T>): Promise<T>;
  /** What ran below this process while a workspace was open, and not before the trial. */
  seenProcesses(): ChildProcess[];
  close(): Promise<void>;
}

const NONSENSE = "tracemill contract suite";

/** Opens a trial of a skill in a temporary folder, which its close removes with all processes that it left. */
export async function openTrial(id: string, skill: Skill): Promise<Trial> {
  const folder = await mkdtemp(join(tmpdir(), "tracemill-suite-"));
  const before = new Set(CAN_LIST_PROCESSES ? livingDescendants().map(({ pid }) => pid) : []);
  const seen = new Map<number, ChildProcess>();
  let items: Promise<Item[]> | null = null;

  function note(): void {
    if (!CAN_LIST_PROCESSES) return;
    for (const one of livingDescendants()) if (!before.has(one.pid)) seen.set(one.pid, one);
  }

  const trial: Trial = {
    id,
    skill,
    items() {
      items ??= skill.items({ seed: SEED }).then((drafts) => drafts.map((draft) => withSplit(skill, draft)));
      return items;
    },
    probe: async () => probeOf(skill, await trial.items()),
    async within(item, from, use) {
      const workspace = await skill.open(item, { folder: join(folder, "place"), from });
      try {
        const result = await use(workspace);
        note();
        return result;
      } finally {
        await workspace.close();
      }
    },
    seenProcesses: () => [...seen.values()],
    close: () => rm(folder, { recursive: true, force: true }),
  };
  return trial;
}

/** Throws where a claim of the contract does not hold; `broken` says what was found instead. */
export function demand(condition: unknown, broken: string): asserts condition {
  if (!condition) throw new Error(broken);
}

/** Builds an item of a draft, in the split of its family. */
export function withSplit(skill: Skill, draft: Draft): Item {
  return { ...draft, split: splitOf(skill.manifest, draft.family) };
}

/** Acts and returns the verdict, checked against the record and the manifest. */
export async function judged({ manifest }: Skill, workspace: Workspace, call: ActionCall): Promise<Verdict> {
  await workspace.act(call);
  return checkedVerdict(await workspace.verify(call, { call }), manifest.failureModes);
}

/** The verdict of an answer without an action. */
export async function judgedWithout(skill: Skill, workspace: Workspace, item: Item): Promise<Verdict> {
  const parsed = emptyAnswer(skill, item);
  return checkedVerdict(await workspace.verify(null, parsed), skill.manifest.failureModes);
}

/** What the skill reads from an empty answer. */
export function emptyAnswer(skill: Skill, item: Item): Extract<ParsedAnswer, { failureMode: string }> {
  const parsed = skill.parse({ role: "assistant", content: "" }, item);
  demand("failureMode" in parsed, `an empty answer is read as the action ${JSON.stringify(parsed)}`);
  return parsed;
}

/** What two verdicts of the same action must share: their evidence may name times and paths. */
export function gist({ passed, value, failureMode, before }: Verdict): string {
  return JSON.stringify({ passed, value, failureMode, before });
}

/** Whether two values are the same as canonical JSON. */
export function isSame(one: unknown, other: unknown): boolean {
  return hashJson(one) === hashJson(other);
}

function checkedVerdict(given: Verdict, failureModes: readonly string[]): Verdict {
  const checked = verdictSchema.safeParse(given);
  const issue = checked.error?.issues[0];
  demand(checked.success, `a verdict does not fit the record: ${issue?.path.join(".")}: ${issue?.message}`);
  const { passed, failureMode, signalType, value } = checked.data;
  if (passed) demand(failureMode === null, `a verdict passed with the failure mode ${failureMode}`);
  else
    demand(
      failureMode !== null && failureModes.includes(failureMode),
      `the manifest lists no failure mode ${failureMode}`,
    );
  if (signalType === "binary") demand(value === (passed ? 1 : 0), `a binary verdict has the value ${value}`);
  return checked.data;
}

/** An item of which much is known, so that much can be checked of it. */
function probeOf(skill: Skill, items: readonly Item[]): Probe {
  const [solved, ...more] = skill.starters?.(items) ?? [];
  const item = solved?.item ?? items[0];
  demand(item !== undefined, "there are no items");
  const solution = solved?.call ?? null;
  const others = [...madeUpCalls(skill, item), ...more.map(({ call }) => call)];
  return { item, solution, other: others.find((call) => solution === null || !isSame(call, solution)) ?? null };
}

/** Actions that the skill reads from answers that mean nothing. */
function madeUpCalls(skill: Skill, item: Item): ActionCall[] {
  const texts: Message[] = [NONSENSE, `\`\`\`\n${NONSENSE}\n\`\`\``].map((content) => ({ role: "assistant", content }));
  const toolCalls = (skill.tools ?? []).map(({ function: { name, parameters } }): Message => {
    const keys = Object.keys((parameters?.properties ?? {}) as object);
    const given = Object.fromEntries(keys.map((key) => [key, NONSENSE]));
    return {
      role: "assistant",
      content: null,
      tool_calls: [{ type: "function", function: { name, arguments: given } }],
    };
  });
  return [...texts, ...toolCalls].flatMap((answer) => {
    const parsed = skill.parse(answer, item);
    return "call" in parsed ? [parsed.call] : [];
  });
}
