/**
 * llama.cpp in this process: one model in memory, one context for each served model (base or adapter), made when it is
 * first asked for. A context holds `parallel` sequences that share batches; a sequence keeps the state of its last
 * conversation, so a prompt that begins like it is only evaluated from where it differs.
 *
 * Sampling cuts by `top_p` before it applies the temperature; without `top_p` it never draws a token 100,000 times
 * less likely than the likeliest, which saves looking at the whole vocabulary for every token.
 */
import { cpus } from "node:os";
import type {
  LlamaContext,
  LlamaContextSequence,
  LlamaGrammarEvaluationState,
  LlamaModel,
  SequenceEvaluateOptions,
  Token,
} from "node-llama-cpp";
import { assert, Failure } from "../../foundation/errors.ts";
import type { Generation, Scoring, ServedModel, TokenScore } from "../generation.ts";
import { countedBatches, type orderedBatch, sequenceMark } from "../llamacpp-batches.ts";
import { type Place, type ScoreTools, scoreTokens } from "../llamacpp-scores.ts";
import { createSlots, type Slots } from "../slots.ts";
import type { Target, TargetKind, TargetOptions } from "../target.ts";
import { createTurns } from "../turns.ts";

const BATCH_TOKENS = 512;
const LEAST_LIKELY = 1e-5;
/** The binding fills an option that is `undefined` with a default of its own; one that is null it leaves out. */
const LEFT_OUT = null as never;

/**
 * Measured with SmolLM2-135M as f16 against the trainer's float32, on 708 probe tokens where a trained adapter changes
 * 0.87: the base lies 0.0020 from the trainer, the adapter 0.0018, the same adapter without the rows of q and k permuted
 * 0.106. So 3 % of the effect (0.026) is 14 times the noise and a quarter of the slightest fault.
 */
const llamacpp: TargetKind = {
  tolerance: { base: 0.25, noiseFactor: 3, effectFraction: 0.03 },
  start,
};

export default llamacpp;

type LaneOf = (modelId: string) => Promise<Slots<Place>>;

/** How far along a grammar one answer is; each answer has its own. */
type Following = (grammar: string) => Promise<LlamaGrammarEvaluationState>;

async function start(options: TargetOptions): Promise<Target> {
  const { getLlama, LlamaGrammarEvaluationState, LlamaLogLevel, TokenBias } = await import("node-llama-cpp");
  const { threads: maxThreads, weightsFile: modelPath, contextTokens } = options;
  const llama = await getLlama({ build: "never", gpu: false, maxThreads, logLevel: LlamaLogLevel.error });
  const model = await llama.loadModel({ modelPath, defaultContextSwaFullCache: true });
  let threads = maxThreads;
  let openings = 0;
  /** A context never takes more threads than were allowed when it was made, so all cores are while one is being made. */
  const allow = (opening: number) => {
    openings += opening;
    llama.maxThreads = openings > 0 ? cpus().length : threads;
  };
  const { chooseBatch, evaluated } = countedBatches();
  const { laneOf, load, unload } = lanesOf(model, options.models, { ...options, allow, chooseBatch });
  const following: Following = async (grammar) =>
    new LlamaGrammarEvaluationState({ model, grammar: await llama.createGrammar({ grammar }) });
  const tools = { model, createBias: () => TokenBias.for(model), without: LEFT_OUT };
  return {
    contextTokens,
    generate: (request) => generate(laneOf, request, following),
    score: (request) => score(laneOf, request, tools),
    evaluated,
    setThreads(count) {
      threads = count;
      allow(0);
    },
    load,
    unload,
    async close() {
      await model.dispose(); // and with it its contexts
      await llama.dispose();
    },
  };
}

interface Lane {
  slots: Slots<Place>;
  context: LlamaContext;
}

interface Opening extends Pick<TargetOptions, "contextTokens" | "parallel"> {
  allow(opening: 1 | -1): void;
  chooseBatch: typeof orderedBatch;
}

async function openLane(
  model: LlamaModel,
  { adapterFile }: ServedModel,
  { contextTokens, parallel, allow, chooseBatch }: Opening,
): Promise<Lane> {
  allow(1);
  const creation = model.createContext({
    sequences: parallel,
    contextSize: contextTokens,
    batchSize: BATCH_TOKENS,
    flashAttention: true,
    batching: { itemPrioritizationStrategy: chooseBatch },
    // A context smaller than what was promised would cut conversations.
    failedCreationRemedy: false,
    ...(adapterFile !== null && { lora: { adapters: [{ filePath: adapterFile }] } }),
  });
  const context = await creation.finally(() => allow(-1));
  const turns = createTurns();
  const places = Array.from({ length: parallel }, (_, number) => ({
    sequence: context.getSequence(),
    turns,
    mark: sequenceMark(number),
  }));
  return { slots: createSlots(places, ({ sequence }) => sequence.contextTokens), context };
}

/** One context for each served model, opened at its first use; of one that is loaded later, at once. */
function lanesOf(
  model: LlamaModel,
  first: readonly ServedModel[],
  opening: Opening,
): { laneOf: LaneOf } & Required<Pick<Target, "load" | "unload">> {
  const models = new Map(first.map((one) => [one.id, one]));
  const lanes = new Map<string, Promise<Lane>>();

  const laneOf: LaneOf = async (id) => {
    const served = models.get(id);
    assert(served !== undefined, `model ${id} is not served`);
    const lane = lanes.get(id) ?? openLane(model, served, opening);
    lanes.set(id, lane);
    const { slots } = await lane.catch((cause: Error) => {
      lanes.delete(id);
      throw new Failure({ boundary: "endpoint", code: "MODEL_NOT_OPENED", message: `${id}: ${cause.message}`, cause });
    });
    return slots;
  };

  return {
    laneOf,
    async load(served) {
      models.set(served.id, served);
      try {
        await laneOf(served.id); // whoever asks it first does not wait, and one that finds no room is known now
      } catch (error) {
        models.delete(served.id);
        throw error;
      }
    },
    async unload(id) {
      const lane = await lanes.get(id);
      lanes.delete(id);
      models.delete(id);
      await lane?.context.dispose();
    },
  };
}

async function* generate(laneOf: LaneOf, request: Generation, following: Following): AsyncGenerator<number> {
  const slots = await laneOf(request.model);
  const slot = await slots.take(request.prompt, request.signal);
  const { sequence, mark, turns } = slot.place;
  try {
    const rest = await rewind(sequence, request.prompt);
    let left = request.maxTokens;
    const held = request.grammar === null ? {} : { grammarEvaluationState: await following(request.grammar) };
    const tokens = sequence.evaluate(rest, { ...samplingOf(request), ...held, evaluationPriority: mark });
    for await (const id of turns.each(tokens)) {
      if (request.signal.aborted) return;
      yield id;
      left--;
      if (left === 0 || request.stopIds.includes(id)) return;
    }
  } catch (error) {
    await sequence.clearHistory();
    throw error;
  } finally {
    slot.release();
  }
}

async function score(laneOf: LaneOf, request: Scoring, tools: ScoreTools): Promise<TokenScore[]> {
  const { ids, from } = request;
  const slots = await laneOf(request.model);
  const slot = await slots.take(ids, request.signal);
  const { sequence, mark: evaluationPriority, turns } = slot.place;
  try {
    await sequence.adaptStateToTokens(ids.slice(0, from - 1) as Token[], false);
    const before = ids.slice(sequence.nextTokenIndex, from - 1) as Token[];
    if (before.length > 0) {
      await turns.step(() => sequence.evaluateWithoutGeneratingNewTokens(before, { evaluationPriority }));
    }
    return await scoreTokens(slot.place, request, tools);
  } finally {
    slot.release();
  }
}

/** Takes a sequence back to where its state and the prompt part; returns the ids that are left to evaluate, at least one. */
async function rewind(sequence: LlamaContextSequence, prompt: readonly number[]): Promise<Token[]> {
  await sequence.adaptStateToTokens(prompt.slice(0, -1) as Token[], false);
  return prompt.slice(sequence.nextTokenIndex) as Token[];
}

function samplingOf({ temperature, topP, seed }: Generation): SequenceEvaluateOptions {
  if (temperature === 0) return { temperature, yieldEogToken: true };
  const cut = topP < 1 ? { topP } : { topP: LEFT_OUT, minP: LEAST_LIKELY };
  return { temperature, topK: LEFT_OUT, ...cut, seed, yieldEogToken: true };
}
