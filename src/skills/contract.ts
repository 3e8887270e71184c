/**
 * What a skill is: items, a prompt, a way to read one action from an answer, and a workspace whose verifier decides.
 * A skill knows nothing of models, logs or training. It is a folder in `skills/` whose `skill.ts` has it as default export.
 */
import type { ActionCall } from "../records/events.ts";
import type { Item } from "../records/item.ts";
import type { Message, Tool } from "../records/message.ts";
import type { Verdict, Verifier } from "../records/verdict.ts";

/** With the types of this file, all that a skill of one's own has to import: `tracemill/skill`. */
export type { ActionCall, Item, Message, Tool, Verdict };

export interface SkillManifest {
  id: string;
  /** Goes up whenever prompts, items or the verifier change what they give. */
  version: string;
  description: string;
  /** Never changed once items have been used: it fixes which family lies in which split. */
  salt: string;
  /** Shares of the families, summing to 1. */
  splitFractions: { train: number; validation: number; test: number };
  failureModes: readonly string[];
  /** What its verdicts name as their verifier: those of another version can then be found and made again. */
  verifier?: Verifier;
  /** Failure modes of an action whose effect only shows after `Workspace.settle`. */
  deferrableFailureModes?: readonly string[];
  maxTokens: number;
}

export type Draft = Omit<Item, "split">;

/** The action that an answer asks for, or why none could be read from it. */
export type ParsedAnswer = { call: ActionCall } | { failureMode: string; reason: string };

export interface ActionResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface Workspace {
  /** Contract: an answer without an action gets its verdict here too, through `verify(null, parsed)`. */
  act(call: ActionCall): Promise<ActionResult>;
  verify(call: ActionCall | null, parsed: ParsedAnswer): Promise<Verdict>;
  /** Keeps the present state and returns the name that `restore` and a later `open` take, in another process too. */
  checkpoint(): Promise<string>;
  /** Goes back to a kept state. Throws where that fails: what came after the state is then suspect. */
  restore(checkpoint: string): Promise<void>;
  /** Says what is wrong with the environment, not with the action; null while it is sound. */
  health?(): Promise<string | null>;
  /**
   * Makes the workspace ready for an agent of the user's own and returns the folder that it may work in. What it leaves
   * there is judged by `verify`, with the call `agent`. Left out where a workspace is no folder: the agent then answers.
   */
  enter?(): Promise<string>;
  /** Takes the later step (a restart, a reload) after which a deferred action shows; `verify` is then asked again. */
  settle?(): Promise<void>;
  /** Ends what the workspace runs and holds; kept states stay. */
  close(): Promise<void>;
}

/** Where a workspace may keep files, and the state that it begins with. */
export interface Place {
  /** A folder for this skill alone, which may not be there yet; what lies in it outlives the process. */
  folder: string;
  /** A kept state of a workspace of the same folder; null is the skill's baseline. */
  from: string | null;
}

/** What a free question is about: exactly one of the two. */
export interface Source {
  item?: Item;
  file?: string;
}

/** One thing that a skill needs of the machine. */
export interface Check {
  what: string;
  isMet: boolean;
  found: string;
  /** How to get it; null where it is met, or nothing helps. */
  fix: string | null;
}

export interface SetupOptions {
  /** A tarball to take instead of what is otherwise fetched. */
  from?: string;
  signal: AbortSignal;
  /** Called when a phase begins, with 0 done, and whenever more of it is. */
  onStep(phase: string, done: number, total: number): void;
}

/** Cells are JSON values. */
export type Reply = { columns: string[]; rows: unknown[][] } | { error: string };

export interface Skill {
  manifest: SkillManifest;
  /** Every item that the seed gives, of all families; `itemsFile` is the user's own JSONL. Throws a refusal with its line. */
  items(options: { seed: number; itemsFile?: string }): Promise<Draft[]>;
  /**
   * Items of families that no other seed gives, for a comparison on what no earlier one has used. Their names are the seed's
   * own and lie in the test split. Left out where families are not made but given.
   */
  freshItems?(options: { seed: number }): Promise<Draft[]>;
  /** The worker's prompt without tips: exactly what zero-shot validation sends. */
  prompt(item: Item): Message[];
  /** A verified answer as earlier turns for another item's prompt: the task as `prompt` puts it, and the answer. */
  workedExample(item: Item, call: ActionCall): Message[];
  /** Solved items among the given ones, for a memory that is still empty: one of each kind of task is enough. */
  starters?(items: readonly Item[]): { item: Item; call: ActionCall }[];
  /** The one tool by which the worker acts, for endpoints with native tool calls. */
  tools?: readonly Tool[];
  /** Reads the action from a native tool call or, where the answer has none, from its text. */
  parse(answer: Message, item: Item): ParsedAnswer;
  /** The shortest answer that asks for this action: `parse` reads the same call from it. */
  answerText?(call: ActionCall): string;
  /** Whether an item has to wait while these others are not finished; none waits where this is left out. */
  waitsFor?(item: Item, open: readonly Item[]): boolean;
  open(item: Item, place: Place): Promise<Workspace>;
  /** What the worker is told of a failed attempt before its next one: nothing that gives the solution away. */
  explain?(verdict: Verdict): string;
  /** Ends what the skill keeps running (a verifier process); it starts again when it is needed. */
  close(): Promise<void>;
  /** Makes what the skill needs on this machine, where it is not there yet, and says in a line what it found. */
  setup?(options: SetupOptions): Promise<string>;
  /** What the skill needs of the machine, met or not; a skill that needs nothing leaves it out. */
  doctor?(): Promise<Check[]>;
  /** For a free question: the text for its prompt that says what there is, an item's or in the user's own file. */
  describe?(source: Source): Promise<string>;
  /** The prompt of a free question; `schema` is what `describe` returned. */
  freePrompt?(question: string, schema: string): Message[];
  /** Runs one action for its result alone; nothing is judged. */
  answer?(call: ActionCall, source: Source): Promise<Reply>;
}
