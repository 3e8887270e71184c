/**
 * One call of a role that a model plays, from a template to an answer of a given form: the endpoint is sent its schema, and holds
 * to it where it can; what comes is read by the same schema, as not every one does.
 */
import { Failure } from "../foundation/errors.ts";
import { random } from "../foundation/random.ts";
import type { Role } from "../records/events.ts";
import { type AttemptId, type TurnId, turnId } from "../records/ids.ts";
import { type RoleAnswer, structuredAnswer } from "../records/role-answer.ts";
import { type Budget, fillTemplate } from "../skills/template.ts";
import type { Bench } from "./bench.ts";
import type { Endpoint } from "./endpoint.ts";
import type { ModelCall, ModelClient } from "./model-client.ts";
import type { PromptName } from "./prompts.ts";

type Answered = Awaited<ReturnType<ModelClient["call"]>>;

/** Plans, reviews and lessons are short; a model that goes on and on is cut here. */
const ANSWER_TOKENS = 512;

export interface RoleCall<T> {
  role: Role;
  endpoint: Endpoint;
  prompt: PromptName;
  variables: Record<string, string>;
  form: RoleAnswer<T>;
  attempt: AttemptId;
  turnNumber: number;
}

/**
 * Asks a role's model. `value` is null where the answer does not fit the form: its turn has the flag `not-understood`;
 * and where the endpoint rejects the call, as it would again: its turn has no response.
 * Throws: what else the client throws.
 */
export async function callRole<T>(bench: Bench, call: RoleCall<T>): Promise<{ turn: TurnId; value: T | null }> {
  const { role, endpoint, attempt, turnNumber, form } = call;
  const template = bench.prompts[call.prompt];
  const variables = { skill: bench.skill.manifest.id, ...call.variables };
  const maxTokens = Math.min(ANSWER_TOKENS, Math.floor(contextOf(endpoint) / 4));
  const { messages, leftOut } = fillTemplate(template, variables, promptBudget(endpoint, maxTokens));
  const answered = await unlessRejected(bench, {
    attempt,
    turnNumber,
    role,
    phase: template.name.slice(role.length + 1),
    endpoint,
    messages,
    tools: null,
    answerSchema: { name: form.name, schema: form.wire },
    sampling: { ...bench.sampling, maxTokens },
    seed: random(bench.seed, role, attempt.slice(bench.log.run.length), turnNumber).integer(0, 0x7fff_ffff),
    retrievals: [],
    tipSpans: [],
    template: { name: template.name, hash: template.hash, leftOut },
    notice: (message) => (structuredAnswer(form.schema, message) === null ? ["not-understood"] : []),
  });
  if (answered === null) return { turn: turnId(attempt, turnNumber), value: null };
  return { turn: answered.turn, value: structuredAnswer(form.schema, answered.answer) };
}

async function unlessRejected({ client }: Bench, call: ModelCall): Promise<Answered | null> {
  return client.call(call).catch((error) => {
    if (error instanceof Failure && error.code === "CALL_REJECTED") return null;
    throw error;
  });
}

/** The room that a context leaves for a prompt beside its answer; what a chat template adds is taken off. */
export function promptBudget(endpoint: Endpoint, answerTokens: number): Budget {
  const { countTokens = estimatedTokens } = endpoint;
  return { tokens: contextOf(endpoint) - answerTokens - TEMPLATE_TOKENS, count: countTokens };
}

function contextOf({ contextTokens = CONTEXT_TOKENS }: Endpoint): number {
  return contextTokens;
}

function estimatedTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

const TEMPLATE_TOKENS = 64;
const CONTEXT_TOKENS = 8192;
const CHARACTERS_PER_TOKEN = 4;
