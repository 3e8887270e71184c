/**
 * What every attempt of a run shares.
 */
import type { Sampling } from "../records/events.ts";
import type { Skill } from "../skills/contract.ts";
import type { RunLog } from "../store/run-log.ts";
import type { Endpoint } from "./endpoint.ts";
import type { LiveState } from "./live-state.ts";
import type { ModelClient } from "./model-client.ts";
import type { Prompts } from "./prompts.ts";
import type { ReflectorRule } from "./role.ts";
import type { Site } from "./site.ts";
import type { TipIndex } from "./tip-index.ts";

export interface Bench {
  skill: Skill;
  prompts: Prompts;
  worker: Endpoint;
  /** Null where nobody reviews what passed. */
  auditor: Endpoint | null;
  /** Null where the run writes no tips. */
  reflector: ReflectorRule | { model: Endpoint } | null;
  client: ModelClient;
  log: RunLog;
  live: LiveState;
  /** Null where no tips are rendered. */
  memory: TipIndex | null;
  tipsPerPrompt: number;
  /** Probability with which each retrieved tip is left out by a draw. */
  tipDropout: number;
  /** Whether a prompt tells what was tried at the item before. */
  showsAttempts: boolean;
  /** Whether the worker is offered the skill's tools, or acts by text alone. */
  hasNativeTools: boolean;
  seed: number;
  sampling: Sampling;
  site: Site;
  signal: AbortSignal;
}
