/**
 * Proof that an adapter is live. The trainer left token ids with their log-probabilities under the base and under the
 * base with the adapter; an endpoint scores the same ids. Under the adapter's name its figures must lie away from its own
 * base's, about as far as the trainer's do, and close to the trainer's: an adapter that is not applied fails the first,
 * one that is applied wrongly (another scale, rows in another order) the second. And where base and adapter answer at the same
 * time, each has to say what it says alone: one whose requests take each other's weights fails this.
 */
import { join } from "node:path";
import pLimit from "p-limit";
import { loadExtension } from "../foundation/discovery.ts";
import { assert, Refusal } from "../foundation/errors.ts";
import { meanOf } from "../foundation/sums.ts";
import { type AdapterManifest, adapterLabel, type Probes } from "../records/adapter-manifest.ts";
import { answersTogether, scoresOf } from "./canary-answers.ts";
import type { CanaryTolerance } from "./generation.ts";
import type { TargetKind } from "./target.ts";

/** Of the trainer's own difference between base and adapter, at least this much must be seen at the endpoint. */
const LEAST_EFFECT_FRACTION = 0.5;
/** Answers at the same time may differ from those alone by this much of it: batches round otherwise, a mix-up shows the whole. */
const TOGETHER_FRACTION = 0.25;
/** Below this an adapter changes too little for anything to be proven by it. */
const LEAST_EFFECT = 0.001;
/**
 * For figures that the trainer scored on a base in 4 bits, which lie further from an endpoint's than any target's own noise.
 * Measured with a random llama of 0.3 million weights and an adapter that changes 0.434, against float32 on 124 probe tokens:
 * the base lies 0.318 away, the adapter 0.304, the same with k and v exchanged 0.476, another one 0.637. Base and adapter are
 * moved alike, so their distances are much the same. In bfloat16 it is 0.010 and 0.012, which each target's own allows.
 */
const IN_4_BITS: CanaryTolerance = { base: 0.4, noiseFactor: 1.25, effectFraction: 0.1 };

export interface CanaryOptions {
  /** The endpoint, with `/v1` at its end. */
  url: string;
  /** The names under which the endpoint serves the adapter and its base. */
  model: string;
  baseModel: string;
  adapter: AdapterManifest;
  probes: Probes;
  /** What serves there, for its tolerance of probes that were not scored in 4 bits. */
  target?: string;
  signal?: AbortSignal;
}

/** Units: mean absolute differences of natural log-probabilities over all `tokens`. */
export interface CanaryReport {
  model: string;
  tokens: number;
  /** Between base and adapter: as the trainer saw it, and as the endpoint shows it. */
  effect: { trainer: number; endpoint: number };
  /** Between trainer and endpoint: for the adapter, and for the base alone. */
  difference: { adapter: number; base: number };
  /** Between what base and adapter answer at the same time and what each answers alone: the largest of all answers. */
  together: number;
  limits: { effectAtLeast: number; differenceAtMost: number; baseAtMost: number; togetherAtMost: number };
}

/**
 * Checks that an endpoint applies an adapter, and applies it rightly.
 * Throws: `ADAPTER_NOT_LIVE` with the figures; a failure of the boundary `endpoint` where it cannot be asked.
 */
export async function checkCanary(options: CanaryOptions): Promise<CanaryReport> {
  const { url, model, baseModel, probes, adapter, target = "llamacpp", signal } = options;
  const kind = await loadExtension<TargetKind>(join(import.meta.dirname, "targets"), "target", target);
  const { scoresAtOnce = probes.probes.length } = kind;
  const tolerance = probes.dtype === "nf4" ? IN_4_BITS : kind.tolerance;
  const limit = pLimit(scoresAtOnce);
  const ask = (name: string) =>
    Promise.all(
      probes.probes.map(({ ids }) => limit(() => scoresOf({ url, model: name, ids, signal: signal ?? null }))),
    );
  const [ofBase, ofAdapter] = [(await ask(baseModel)).flat(), (await ask(model)).flat()];
  const trained = {
    base: probes.probes.flatMap(({ baseLogprobs }) => baseLogprobs),
    adapter: probes.probes.flatMap(({ adapterLogprobs }) => adapterLogprobs),
  };
  const effect = {
    trainer: meanDifference(trained.base, trained.adapter),
    endpoint: meanDifference(ofBase, ofAdapter),
  };
  const difference = {
    adapter: meanDifference(trained.adapter, ofAdapter),
    base: meanDifference(trained.base, ofBase),
  };
  const together = await answersTogether({ url, models: [baseModel, model], signal: signal ?? null }, probes);
  const differenceAtMost = Math.max(tolerance.effectFraction * effect.trainer, tolerance.noiseFactor * difference.base);
  const report: CanaryReport = {
    model,
    tokens: ofAdapter.length,
    effect,
    difference,
    together,
    limits: {
      effectAtLeast: Math.max(LEAST_EFFECT, LEAST_EFFECT_FRACTION * effect.trainer),
      differenceAtMost,
      togetherAtMost: Math.max(differenceAtMost, TOGETHER_FRACTION * effect.trainer),
      baseAtMost: tolerance.base,
    },
  };
  const { limits } = report;
  const name = adapterLabel(adapter);
  if (difference.base > limits.baseAtMost) throw notLive(`The base ${baseModel} is not the one of the trainer`, report);
  if (effect.endpoint < limits.effectAtLeast) throw notLive(`The adapter ${name} changes too little`, report);
  if (difference.adapter > limits.differenceAtMost) throw notLive(`The adapter ${name} is applied wrongly`, report);
  if (together > limits.togetherAtMost) throw notLive(`The adapter ${name} and its base are mixed up`, report);
  return report;
}

function meanDifference(one: readonly number[], other: readonly number[]): number {
  assert(one.length === other.length && one.length > 0, "log-probabilities of the same tokens are compared");
  return meanOf(one, (value, i) => Math.abs(value - (other[i] as number)));
}

function notLive(what: string, { effect, difference, together, limits, tokens }: CanaryReport): Refusal {
  const digits = (value: number) => value.toFixed(4);
  return new Refusal({
    code: "ADAPTER_NOT_LIVE",
    message: `${what} at this endpoint (mean absolute differences of log-probabilities over ${tokens} tokens).`,
    expected:
      `adapter from base at least ${digits(limits.effectAtLeast)}, ` +
      `from the trainer at most ${digits(limits.differenceAtMost)}; base from the trainer at most ${limits.baseAtMost}; ` +
      `each at the same time from alone at most ${digits(limits.togetherAtMost)}`,
    got:
      `adapter from base ${digits(effect.endpoint)} (the trainer's: ${digits(effect.trainer)}), ` +
      `from the trainer ${digits(difference.adapter)}; base from the trainer ${digits(difference.base)}; ` +
      `at the same time from alone ${digits(together)}`,
    fix: "convert the adapter again, or serve it by a server that applies LoRA to this architecture",
  });
}
