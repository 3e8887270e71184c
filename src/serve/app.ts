/**
 * The OpenAI-compatible endpoint as a web application: which path asks for what. Requests are rendered by the same
 * function as datasets. Does not know which target answers, nor of sockets.
 */
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { streamSSE } from "hono/streaming";
import { Refusal } from "../foundation/errors.ts";
import { random } from "../foundation/random.ts";
import { sumOf } from "../foundation/sums.ts";
import type { Renderer } from "../render/renderer.ts";
import type { Admission } from "./admission.ts";
import { type Answering, answer, type Piece } from "./answer.ts";
import { answerError } from "./answer-error.ts";
import { apiError, refuseBody, refusePath } from "./api-error.ts";
import type { ServedModel } from "./generation.ts";
import { modelCard } from "./model-card.ts";
import { type Ask, readChatAsk, readTextAsk, readTokenizeAsk } from "./request.ts";
import { chatWording, textWording, usageOf, type Wording } from "./response.ts";
import type { ServedNames } from "./served-names.ts";
import type { Target } from "./target.ts";

const MOST_BODY_BYTES = 16_000_000;

export interface AppParts {
  target: Target;
  renderer: Renderer;
  names: ServedNames<ServedModel>;
  vocabularySize: number;
  admission: Admission;
  /** Aborted when the server closes: running answers end. */
  closing: AbortSignal;
  onBug(error: unknown): void;
}

/** Builds the application; nothing listens yet. */
export function createApp(parts: AppParts): Hono {
  const { target, renderer, names } = parts;
  const created = Math.floor(Date.now() / 1000);
  const app = new Hono();

  app.onError((error, c) => answerError(error, c, parts));
  app.notFound(({ req }) => refusePath(req));
  app.use(bodyLimit({ maxSize: MOST_BODY_BYTES, onError: () => refuseBody(MOST_BODY_BYTES) }));

  app.get("/healthz", (c) => c.json({ status: "ok", ...parts.admission.load(), ...target.evaluated() }));
  app.get("/v1/models", (c) => {
    const told = { created, owned_by: "tracemill", max_model_len: target.contextTokens };
    const list = [
      ...names.models().map((model) => modelCard(model, { ...told, root: model.parent ?? model.id })),
      ...names.others().map(({ name, model }) => modelCard({ ...model, id: name }, { ...told, root: model.id })),
    ];
    return c.json({ object: "list", data: list });
  });
  app.post("/tokenize", async (c) => {
    const asked = readTokenizeAsk(await bodyOf(c));
    const tokens = "prompt" in asked ? renderer.encode(asked.prompt) : renderer.prompt(asked.messages, asked.tools).ids;
    return c.json({ count: tokens.length, max_model_len: target.contextTokens, tokens });
  });
  app.post("/v1/chat/completions", async (c) => {
    const asked = readChatAsk(await bodyOf(c));
    const prompt = renderer.prompt(asked.messages, asked.tools).ids;
    return respond(c, parts, { ...asked, prompts: [prompt], isEcho: false, echoFrom: 0, wording: chatWording });
  });
  app.post("/v1/completions", async (c) => {
    const asked = readTextAsk(await bodyOf(c));
    const prompts = asked.prompts.map((prompt) => (typeof prompt === "string" ? renderer.encode(prompt) : prompt));
    return respond(c, parts, { ...asked, prompts, wording: textWording });
  });
  return app;
}

type Request = Ask & { prompts: number[][]; isEcho: boolean; echoFrom: number; wording: Wording };

async function respond(c: Context, parts: AppParts, request: Request): Promise<Response> {
  const { target, renderer } = parts;
  const signal = AbortSignal.any([c.req.raw.signal, parts.closing]);
  const { model, leave: leaveModel } = parts.names.enter(request.model);
  const { answerings, leave } = admitted({ ...request, model: model.id }, parts, { signal, leaveModel });
  const run = async function* (asked: Answering) {
    try {
      yield* answer(asked, target, renderer);
    } finally {
      leave();
    }
  };
  const { wording } = request;
  const head = {
    id: `${wording.idPrefix}-${crypto.randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model: model.id,
  };
  const decode = (id: number) => renderer.decode([id]);
  const promptTokens = sumOf(request.prompts, ({ length }) => length);

  if (!request.isStream) {
    const pieces = await Promise.all(answerings.map((asked) => wholeAnswer(run(asked))));
    const completionTokens = sumOf(pieces, (piece) => piece.completionTokens);
    const choices = pieces.map((piece, index) => wording.choice(index, piece, decode));
    return c.json({ ...head, object: wording.whole, choices, usage: usageOf(promptTokens, completionTokens) });
  }

  return streamSSE(c, async (stream) => {
    const send = (chunk: object) =>
      stream.writeSSE({ data: JSON.stringify({ ...head, object: wording.chunk, ...chunk }) });
    try {
      const counts = await Promise.all(
        answerings.map(async (asked, index) => {
          let isFirst = true;
          let completionTokens = 0;
          for await (const piece of run(asked)) {
            await send({ choices: [wording.delta(index, piece, { isFirst, decode })] });
            isFirst = false;
            completionTokens = piece.completionTokens;
          }
          return completionTokens;
        }),
      );
      const completionTokens = sumOf(counts);
      if (request.withStreamUsage) await send({ choices: [], usage: usageOf(promptTokens, completionTokens) });
      await stream.writeSSE({ data: "[DONE]" });
    } catch (error) {
      if (signal.aborted) return;
      // The status is sent already: the error goes out as an event, which OpenAI's clients throw.
      parts.onBug(error);
      await stream.writeSSE({ data: JSON.stringify(apiError(error).body) });
    }
  });
}

/** Lets a request's answers in; `leave` lets one out, and with the last the model may go. */
function admitted(
  request: Request,
  parts: AppParts,
  { signal, leaveModel }: { signal: AbortSignal; leaveModel(): void },
): { answerings: Answering[]; leave(): void } {
  try {
    const answerings = answeringsOf(request, parts, signal);
    const leave = parts.admission.admit(request.model, answerings.length);
    let left = answerings.length;
    return {
      answerings,
      leave() {
        leave();
        left--;
        if (left === 0) leaveModel();
      },
    };
  } catch (error) {
    leaveModel();
    throw error;
  }
}

/** One answering for each prompt and choice; every refusal is thrown here, before anything is sent. */
function answeringsOf(request: Request, { target, vocabularySize }: AppParts, signal: AbortSignal): Answering[] {
  const { prompts, n } = request;
  for (const prompt of prompts) checkPrompt(prompt, request.isEcho, { ...target, vocabularySize });
  const seed = request.seed ?? crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return prompts.flatMap((prompt, i) => {
    const room = target.contextTokens - prompt.length;
    const maxTokens = Math.max(0, Math.min(request.maxTokens ?? room, room));
    return Array.from({ length: n }, (_, j) => ({
      ...request,
      prompt,
      maxTokens,
      seed: random(seed, "choice", i * n + j).integer(0, 2 ** 32 - 1),
      signal,
    }));
  });
}

function checkPrompt(
  prompt: readonly number[],
  isEcho: boolean,
  { contextTokens, vocabularySize }: { contextTokens: number; vocabularySize: number },
): void {
  if (prompt.length === 0) throw new Refusal({ code: "BAD_REQUEST", message: "prompt: is empty", where: "prompt" });
  const unknown = prompt.find((id) => id >= vocabularySize);
  if (unknown !== undefined) {
    const expected = `token ids below ${vocabularySize}`;
    throw new Refusal({
      code: "BAD_REQUEST",
      message: "prompt: unknown token",
      expected,
      got: `${unknown}`,
      where: "prompt",
    });
  }
  // A prompt that is only scored needs no room for an answer.
  if (prompt.length < contextTokens + (isEcho ? 1 : 0)) return;
  throw new Refusal({
    code: "PROMPT_TOO_LONG",
    message: "The prompt is longer than the context.",
    expected: `fewer than ${contextTokens} tokens`,
    got: `${prompt.length} tokens`,
    where: "prompt",
  });
}

async function wholeAnswer(pieces: AsyncIterable<Piece>): Promise<Piece> {
  let text = "";
  let last: Piece | undefined;
  for await (const piece of pieces) {
    text += piece.text;
    last = piece;
  }
  if (last === undefined) throw new DOMException("The answer was not finished.", "AbortError");
  return { ...last, text };
}

async function bodyOf(c: Context): Promise<unknown> {
  const text = await c.req.text();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal({
      code: "BAD_REQUEST",
      message: "The body is no JSON.",
      got: (error as Error).message,
      where: "body",
    });
  }
}
