/**
 * Exact log-probabilities of given tokens from llama.cpp, whose binding gives either one number cheaply (how likely the
 * likeliest token is) or the whole vocabulary slowly. So each stretch of tokens is evaluated twice: once for that
 * number, and once with the wanted token's logit raised by a known amount, so that it is among the few candidates
 * that are kept; their ratios then give every log-probability. Checked against the whole vocabulary in the tests.
 */
import type {
  ControlledEvaluateInputItem,
  EvaluationPriority,
  LlamaContextSequence,
  LlamaModel,
  Token,
  TokenBias,
} from "node-llama-cpp";
import { assert } from "../foundation/errors.ts";
import type { Scoring, TokenScore } from "./generation.ts";
import type { Turns } from "./turns.ts";

/** Tokens less likely than the likeliest by more than e^40 do not come among the candidates; e^80 is still a float. */
const RAISED_BY = 40;
/** Bounds the memory that one evaluation takes for its output: this many rows of the vocabulary. */
const STRETCH_TOKENS = 32;

type SampleOptions = NonNullable<
  NonNullable<Exclude<ControlledEvaluateInputItem, Token>[1]["generateNext"]>["options"]
>;

export interface Place {
  sequence: LlamaContextSequence;
  /** See llamacpp-batches.ts. */
  mark: EvaluationPriority;
  /** Every evaluation is a step of its context's turns. */
  turns: Turns;
}

export interface ScoreTools {
  model: LlamaModel;
  createBias: () => TokenBias;
  /** Left out of the sampling chain, where `undefined` would mean the binding's own default. */
  without: never;
}

/**
 * Scores `ids[from]` and all after it.
 * Contract: the sequence holds exactly `ids[0 .. from - 1)`, and the caller has it alone.
 */
export async function scoreTokens(
  place: Place,
  { ids, from, top, signal }: Omit<Scoring, "model">,
  tools: ScoreTools,
): Promise<TokenScore[]> {
  const { sequence } = place;
  assert(sequence.nextTokenIndex === from - 1, "the sequence is not where the scores begin");
  const scores: TokenScore[] = [];
  for (let start = from; start < ids.length; start += STRETCH_TOKENS) {
    signal.throwIfAborted();
    const targets = ids.slice(start, start + STRETCH_TOKENS);
    const inputs = ids.slice(start - 1, start - 1 + targets.length);
    const likeliest = await evaluate(place, inputs, () => ({ confidence: true, options: { temperature: 0 } }));
    await sequence.eraseContextTokenRanges([{ start: start - 1, end: sequence.nextTokenIndex }]);
    const ratios = await evaluate(place, inputs, (i) => candidates(targets[i] as number, top, tools));
    for (const [i, target] of targets.entries()) {
      const { confidence } = likeliest[i] as Output;
      const { probabilities } = ratios[i] as Output;
      assert(confidence !== undefined && probabilities !== undefined, "llama.cpp left a token out");
      scores.push(scoreOf(target, { confidence, probabilities, top, isRaised: isRaised(target, tools.model) }));
    }
  }
  return scores;
}

interface Output {
  confidence?: number;
  probabilities?: Map<Token, number>;
}

async function evaluate(
  { sequence, mark, turns }: Place,
  inputs: readonly number[],
  wanted: (index: number) => { confidence?: true; probabilities?: true; options: SampleOptions },
): Promise<Output[]> {
  const items = inputs.map(
    (id, i): ControlledEvaluateInputItem => [id as Token, { generateNext: { token: true, ...wanted(i) } }],
  );
  const outputs = await turns.step(() => sequence.controlledEvaluate(items, { evaluationPriority: mark }));
  return outputs.map((output) => output?.next ?? {});
}

/** The binding never raises a token that ends an answer: such a one is looked up in the whole vocabulary. */
function isRaised(target: number, model: LlamaModel): boolean {
  return !model.isEogToken(target as Token);
}

function candidates(target: number, top: number, { model, createBias, without }: ScoreTools) {
  if (!isRaised(target, model)) {
    return { probabilities: true, options: { temperature: 1, topK: without, topP: without, seed: 0 } } as const;
  }
  const tokenBias = createBias().set(target as Token, { logit: RAISED_BY });
  const topK = Math.max(top + 1, 2);
  return { probabilities: true, options: { temperature: 1, topK, topP: without, seed: 0, tokenBias } } as const;
}

/**
 * From ratios among the candidates and the likeliest one's own probability to log-probabilities. Which one is likeliest
 * is read from the ratios: among near equals it may be another than in the evaluation before.
 */
function scoreOf(
  target: number,
  given: { confidence: number; probabilities: Map<Token, number>; top: number; isRaised: boolean },
): TokenScore {
  const raised = given.isRaised ? RAISED_BY : 0;
  const candidates = [...given.probabilities].map(([id, probability]) => ({
    id: id as number,
    ratio: Math.log(probability) - (id === target ? raised : 0),
  }));
  candidates.sort((x, y) => y.ratio - x.ratio);
  const shift = Math.log(given.confidence) - (candidates[0]?.ratio ?? 0);
  const scored = candidates.map(({ id, ratio }) => ({ id, logprob: ratio + shift }));
  const found = scored.find(({ id }) => id === target)?.logprob ?? Number.NEGATIVE_INFINITY;
  return { logprob: Math.max(found, Math.log(given.confidence) - RAISED_BY), top: scored.slice(0, given.top) };
}
