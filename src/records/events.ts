/**
 * Every event of a run log. A line of `events.jsonl` is one event in canonical JSON:
 * `{at, data, prev, seq, type}`, where `prev` is the SHA-256 of the line before (64 zeros for the first).
 * Pure: the store reads and writes them.
 */
import { z } from "zod";
import { attemptIdSchema, hashSchema, itemIdSchema, runIdSchema, tipIdSchema, turnIdSchema } from "./ids.ts";
import { itemSchema, SPLITS } from "./item.ts";
import { recordedMessageSchema, recordedToolSchema } from "./message.ts";
import { retrievalSchema, tipSchema, tipSpanSchema } from "./tip.ts";
import { verdictSchema } from "./verdict.ts";

export const ROLES = ["architect", "worker", "auditor", "reflector"] as const;
export const roleSchema = z.enum(ROLES);
export type Role = z.infer<typeof roleSchema>;

/** Who plays a role: a model behind an endpoint, or a rule by name. */
export const roleModelSchema = z.union([
  z.object({ rule: z.string() }),
  z.object({
    name: z.string(),
    endpoint: z.string(),
    baseHash: hashSchema.nullable(),
    adapterHash: hashSchema.nullable(),
    /** What the server's list of models said of it when the run began; null where the server has none. */
    served: z.record(z.string(), z.json()).nullable().optional(),
  }),
]);

export const samplingSchema = z.object({
  temperature: z.number().min(0),
  topP: z.number().gt(0).max(1),
  maxTokens: z.int().min(1),
});

/** Each attempt from the skill's baseline, or in one workspace where what is solved stays so. */
export const SITE_MODES = ["isolated", "progress"] as const;
export type SiteMode = (typeof SITE_MODES)[number];

export const MEMORY_MODES = ["grow", "frozen", "none"] as const;

export const runStartedSchema = z.object({
  run: runIdSchema,
  /** Version and hash are null where the run is another agent's and no skill of that name is here. */
  skill: z.object({ id: z.string(), version: z.string().nullable(), hash: hashSchema.nullable() }),
  models: z.partialRecord(roleSchema, roleModelSchema),
  /** Null where each call had its own: see a turn's `request`. */
  sampling: samplingSchema.nullable(),
  seed: z.int().nullable(),
  /** Null where a run's items are of several splits, as another agent's are. */
  split: z.enum(SPLITS).nullable(),
  /** `grow` writes tips as it goes; `frozen` reads those of `tipRuns` only; `none` renders none. */
  memory: z.enum(MEMORY_MODES),
  tipRuns: z.array(z.object({ run: runIdSchema, head: hashSchema })),
  codeVersion: z.string(),
  /** The resolved configuration, for resuming and for people. */
  config: z.record(z.string(), z.json()),
  /** Of which comparison it is, as which arm, and which of the arm's samples. */
  comparison: z.object({ comparisonHash: hashSchema, arm: z.string(), sample: z.int().min(1).default(1) }).nullable(),
});

export const usageSchema = z.object({ promptTokens: z.int().min(0), completionTokens: z.int().min(0) });

/** OpenAI's three ways to ask a model for text. */
export const WIRE_APIS = ["chat", "completions", "responses"] as const;
export type WireApi = (typeof WIRE_APIS)[number];

/** What a turn of another program's files may lack: never recorded there, or clipped. */
export const TURN_PARTS = ["system-prompt", "tools", "prompt", "answer", "sampling"] as const;
export type TurnPart = (typeof TURN_PARTS)[number];

const tokenIdsSchema = z.array(z.int().min(0)).nullable();

export const turnSchema = z.object({
  turn: turnIdSchema,
  attempt: attemptIdSchema,
  /** One of the harness's own, or another agent's name for what it does. */
  role: z.string().regex(/^[a-z][a-z0-9-]*$/, "expected a role of small letters, digits and dashes"),
  /** What the role was asked for: `act`, `plan`, `reflect`, ... */
  phase: z.string(),
  /** Hashes of the messages sent, in order. */
  messages: z.array(hashSchema),
  tools: hashSchema.nullable(),
  /** Hash of the assistant message that came back; null where the call failed. */
  response: hashSchema.nullable(),
  finishReason: z.string().nullable(),
  usage: usageSchema.nullable(),
  latencyMs: z.number().min(0),
  /** The request's parameters without its messages and tools, as sent. */
  request: z.record(z.string(), z.json()),
  /** The model's name as the endpoint answered it. */
  modelAnswered: z.string().nullable(),
  baseHash: hashSchema.nullable(),
  adapterHash: hashSchema.nullable(),
  /** What was noticed while the answer was read: `no-action`, ... */
  parseFlags: z.array(z.string()),
  retrievals: z.array(retrievalSchema),
  tipSpans: z.array(tipSpanSchema),
  /** The template that the prompt, or what was added to the skill's own, came from; absent where there was none. */
  template: z
    .object({
      name: z.string(),
      hash: hashSchema,
      /** Sections that the token budget left no room for. */
      leftOut: z.array(z.string()),
    })
    .optional(),
  /** Of a call that was recorded on its way: which API it used, its status, and the answer's body without the message. */
  wire: z
    .object({
      ...{ api: z.enum(WIRE_APIS), status: z.int().nullable(), response: z.json() },
      /** What of the answer's bytes could not be read as one, as text; absent where all could. */
      raw: z.string().optional(),
    })
    .optional(),
  /** Of an imported or recorded turn: what its source did not hold whole. Absent where nothing is missing. */
  missing: z.array(z.enum(TURN_PARTS)).optional(),
  /** Of a turn of a joined run: the same call as the proxy recorded it. */
  recordedAs: turnIdSchema.optional(),
  /** Token ids as the endpoint gave them; absent where it gave none. */
  tokenIds: z.object({ prompt: tokenIdsSchema, completion: tokenIdsSchema }).optional(),
});

export const ARCHITECT_CHOICES = ["select", "continue", "re-plan", "escalate", "skip"] as const;

/** What a model that plays the architect decided, as the harness understood it. */
export const architectDecidedSchema = z.object({
  item: itemIdSchema,
  turn: turnIdSchema,
  choice: z.enum(ARCHITECT_CHOICES),
  /** The plan that holds from now on; null where there is none. */
  plan: z.string().nullable(),
  /** True where the answer could not be used and the harness went on without it. */
  isFallback: z.boolean(),
  reason: z.string().nullable(),
});

/** The one thing an attempt did, in the shape of a tool call. */
export const actionCallSchema = z.object({ name: z.string(), arguments: z.record(z.string(), z.json()) });

export const actionSchema = z.object({
  attempt: attemptIdSchema,
  turn: turnIdSchema,
  call: actionCallSchema,
  exitCode: z.int().nullable(),
  /** True where another agent's log says that the call failed, which it may without an exit code; absent where it does not. */
  isError: z.boolean().optional(),
  stdout: z.string(),
  stderr: z.string(),
  durationMs: z.number().min(0),
});

/** The architect gave it up or left it out, or the budget of the item (time, tokens) or of the run (attempts) was spent. */
export const END_REASONS = ["architect", "wall-time", "tokens", "run-budget"] as const;
export type EndReason = (typeof END_REASONS)[number];

/** `unjudged`: another agent worked on it and nobody said what came of it. */
export const ITEM_STATES = ["solved", "unsolved", "skipped", "failed", "unjudged"] as const;

const eventSchemas = {
  run_started: runStartedSchema,
  items_scanned: z.object({ items: z.array(itemSchema) }),
  message: z.object({ hash: hashSchema, message: recordedMessageSchema }),
  tools: z.object({ hash: hashSchema, tools: z.array(recordedToolSchema) }),
  turn: turnSchema,
  action: actionSchema,
  verdict: z.object({ attempt: attemptIdSchema, verdict: verdictSchema }),
  tip_saved: tipSchema,
  tip_retired: z.object({
    tip: tipIdSchema,
    reason: z.string(),
    /** The tip that says the same and stays; absent where none does. */
    mergedInto: tipIdSchema.optional(),
  }),
  architect_decided: architectDecidedSchema,
  /** Of another agent's attempt: the patch that its source says it left, whole, and the commit that it says it began from. */
  patch_left: z.object({ attempt: attemptIdSchema, patch: z.string(), commit: z.string().optional() }),
  /** How the user's own agent ended, where the skill has no folder in which that would be its action. */
  agent_ended: z.object({
    attempt: attemptIdSchema,
    command: z.string(),
    /** Null where a signal ended it. */
    exitCode: z.int().nullable(),
    stdout: z.string(),
    stderr: z.string(),
    durationMs: z.number().min(0),
  }),
  /** The state after an attempt was kept; later attempts begin with it. */
  checkpoint: z.object({ attempt: attemptIdSchema, name: z.string() }),
  item_finished: z.object({
    item: itemIdSchema,
    state: z.enum(ITEM_STATES),
    attempts: z.int().min(0),
    passed: z.int().min(0),
    /** What ended it before its attempts were spent; absent where nothing did. */
    reason: z.enum(END_REASONS).optional(),
  }),
  failure: z.object({
    boundary: z.string(),
    code: z.string(),
    message: z.string(),
    attempt: attemptIdSchema.nullable(),
  }),
  run_finished: z.object({
    items: z.int().min(0),
    attempts: z.int().min(0),
    passed: z.int().min(0),
    failures: z.int().min(0),
  }),
} as const;

export type EventType = keyof typeof eventSchemas;
export type EventData<T extends EventType> = z.infer<(typeof eventSchemas)[T]>;
/** One event without its place in the log. */
export type RunEvent = { [T in EventType]: { type: T; data: EventData<T> } }[EventType];
/** One event as a log line holds it. Units: `at` is UTC in ISO 8601 with milliseconds. */
export type LoggedEvent = RunEvent & { seq: number; at: string; prev: string };

export const EVENT_TYPES = Object.keys(eventSchemas) as EventType[];

const envelope = { seq: z.int().min(0), at: z.iso.datetime({ precision: 3 }), prev: hashSchema };

/** Reads one parsed log line. Keys that an event type does not have are dropped. */
export const loggedEventSchema = z.discriminatedUnion(
  "type",
  EVENT_TYPES.map((type) => z.object({ ...envelope, type: z.literal(type), data: eventSchemas[type] })) as never,
) as unknown as z.ZodType<LoggedEvent>;

export type RunStarted = EventData<"run_started">;
export type Turn = EventData<"turn">;
export type ArchitectDecision = EventData<"architect_decided">;
export type Action = EventData<"action">;
export type ActionCall = z.infer<typeof actionCallSchema>;
export type Sampling = z.infer<typeof samplingSchema>;
export type MemoryMode = (typeof MEMORY_MODES)[number];
