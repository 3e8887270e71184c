import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { sumOf } from "../../src/foundation/sums.ts";
import { loadRenderer, type Renderer } from "../../src/render/renderer.ts";
import type { RunningServer } from "../../src/serve/running-server.ts";
import { startServer } from "../../src/serve/server.ts";
import { freePort } from "../../src/serve/server-process.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { registerAdapter, tinyAdapter } from "../fixtures/adapters.ts";
import { addTinyBase } from "../train/sample-training.ts";

let folder: string;
let home: Home;
let renderer: Renderer;
let server: RunningServer;
let client: OpenAI;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-server-"));
  home = homeAt(folder);
  const base = await addTinyBase(home);
  for (const [name, seed] of Object.entries({ one: 1, two: 2 })) {
    await registerAdapter(home, base, { name, from: await tinyAdapter(seed) });
  }
  renderer = await loadRenderer(home, base);
  server = await startServer({
    home,
    base: "tiny",
    adapters: ["one", "two"],
    parallel: 8,
    threads: 1,
    contextTokens: 512,
  });
  client = new OpenAI({ baseURL: server.url, apiKey: "none", maxRetries: 0 });
}, 120_000);

afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

const ask = (content: string) => [{ role: "user" as const, content }];

function greedy(model: string, content: string, max_tokens = 24) {
  return client.chat.completions.create({ model, messages: ask(content), temperature: 0, max_tokens });
}

const apiError = (status: number, rest: Record<string, unknown>) => expect.objectContaining({ status, ...rest });

type Health = Record<"active" | "waiting" | "batches" | "tokens", number>;

async function health({ url } = server): Promise<Health> {
  return (await fetch(`${url.replace("/v1", "")}/healthz`)).json() as Promise<Health>;
}

async function isQuiet(): Promise<void> {
  await expect.poll(() => health(), { timeout: 5000 }).toMatchObject({ active: 0, waiting: 0 });
}

describe("models", () => {
  test("are the base and its adapters, which name it as their parent", async () => {
    const { data } = await client.models.list();
    const cards = data as unknown as {
      id: string;
      parent: string | null;
      base_hash: string;
      adapter_hash: string | null;
    }[];
    expect(cards.map(({ id, parent }) => ({ id, parent }))).toEqual([
      { id: "tiny", parent: null },
      { id: "one", parent: "tiny" },
      { id: "two", parent: "tiny" },
    ]);
    expect(new Set(cards.map(({ base_hash }) => base_hash)).size).toBe(1);
    expect(cards.map(({ adapter_hash }) => adapter_hash)).toEqual(server.models.map(({ adapterHash }) => adapterHash));
  });

  test("answer differently", async () => {
    const answers = await Promise.all(["tiny", "one", "two"].map((model) => greedy(model, "How many rows?")));
    expect(new Set(answers.map(({ choices }) => choices[0]?.message.content)).size).toBe(3);
  });
});

describe("a chat completion", () => {
  test("counts its tokens as the renderer does and says why it ended", async () => {
    const messages = ask("Which city has the most customers?");
    const answer = await greedy("tiny", "Which city has the most customers?", 7);
    expect(answer.usage?.prompt_tokens).toBe(renderer.prompt(messages, null).ids.length);
    expect(answer.usage).toMatchObject({ completion_tokens: 7 });
    expect(answer.choices[0]).toMatchObject({ index: 0, finish_reason: "length", message: { role: "assistant" } });
  });

  test("streams the same text as it gives whole", async () => {
    for (const content of ["Which city?", "SELECT é 世界", "names of all employees"]) {
      const whole = await greedy("one", content);
      const stream = await client.chat.completions.create({
        model: "one",
        messages: ask(content),
        temperature: 0,
        max_tokens: 24,
        stream: true,
        stream_options: { include_usage: true },
      });
      let text = "";
      let usage: OpenAI.CompletionUsage | undefined;
      const reasons: string[] = [];
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? "";
        if (chunk.choices[0]?.finish_reason) reasons.push(chunk.choices[0].finish_reason);
        usage = chunk.usage ?? usage;
      }
      expect(text).toBe(whole.choices[0]?.message.content);
      expect(reasons).toEqual([whole.choices[0]?.finish_reason]);
      expect(usage).toEqual(whole.usage);
    }
  });

  test("gives several answers, the same ones again for the same seed and others for another", async () => {
    const draw = async (seed: number) => {
      const { choices } = await client.chat.completions.create({
        ...{ model: "tiny", messages: ask("List the names"), max_tokens: 12, n: 4, temperature: 1, seed },
      });
      return choices.map(({ message }) => message.content);
    };
    const first = await draw(5);
    expect(new Set(first).size).toBe(4);
    expect(await draw(5)).toEqual(first);
    expect(await draw(6)).not.toEqual(first);
  });

  test("streams several answers side by side", async () => {
    const request = { model: "tiny", messages: ask("List"), max_tokens: 10, n: 3, temperature: 1, seed: 1 };
    const whole = await client.chat.completions.create(request);
    const texts = ["", "", ""];
    for await (const { choices } of await client.chat.completions.create({ ...request, stream: true })) {
      for (const { index, delta } of choices) texts[index] += delta.content ?? "";
    }
    expect(texts).toEqual(whole.choices.map(({ message }) => message.content));
  });

  test("takes text in parts and the role developer", async () => {
    const parts = await client.chat.completions.create({
      model: "tiny",
      messages: [
        { role: "developer", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "How " },
            { type: "text", text: "many?" },
          ],
        },
      ],
      ...{ temperature: 0, max_tokens: 5 },
    });
    const plain = await client.chat.completions.create({
      model: "tiny",
      messages: [{ role: "system", content: "Be brief." }, ...ask("How many?")],
      ...{ temperature: 0, max_tokens: 5 },
    });
    expect(parts.choices[0]?.message).toEqual(plain.choices[0]?.message);
    expect(parts.usage).toEqual(plain.usage);
  });
});

describe("top_p", () => {
  const seeds = [1, 2, 3, 4, 5];

  async function hot(top_p: number, seed: number) {
    const request = { model: "tiny", messages: ask("List the names"), max_tokens: 12, temperature: 2, top_p, seed };
    return (await client.chat.completions.create(request)).choices[0]?.message.content;
  }

  test("leaves the greedy answer alone where it is tiny, however high the temperature", async () => {
    const likeliest = (await greedy("tiny", "List the names", 12)).choices[0]?.message.content;
    expect(await Promise.all(seeds.map((seed) => hot(1e-6, seed)))).toEqual(seeds.map(() => likeliest));
    const free = await Promise.all(seeds.map((seed) => hot(1, seed)));
    expect(free.every((answer) => answer !== likeliest)).toBe(true);
  });

  test("draws from the fewest tokens that make up the share, and from all of them", async () => {
    const request = { model: "tiny", prompt: "the", max_tokens: 1 };
    const scored = await client.completions.create({ ...request, temperature: 0, logprobs: 5 });
    const top = Object.entries(scored.choices[0]?.logprobs?.top_logprobs?.[0] ?? {}).sort((x, y) => y[1] - x[1]);
    const [first = 0, second = 0] = top.map(([, logprob]) => Math.exp(logprob));
    const top_p = first + second / 2;
    const { choices } = await client.completions.create({ ...request, temperature: 2, top_p, seed: 1, n: 64 });
    expect(new Set(choices.map(({ text }) => text))).toEqual(new Set(top.slice(0, 2).map(([token]) => token)));
  });
});

describe("stop strings", () => {
  test("cut the text before them, also where they lie across tokens", async () => {
    const whole = (await greedy("two", "Tell me", 32)).choices[0]?.message.content ?? "";
    for (const [start, length] of [
      [3, 2],
      [5, 6],
      [11, 1],
    ] as const) {
      const stop = whole.slice(start, start + length);
      const request = {
        model: "two",
        messages: ask("Tell me"),
        temperature: 0,
        max_tokens: 32,
        stop: [stop, "never there"],
      };
      const cut = await client.chat.completions.create(request);
      expect(cut.choices[0]?.message.content).toBe(whole.slice(0, whole.indexOf(stop)));
      expect(cut.choices[0]?.finish_reason).toBe("stop");
      let streamed = "";
      for await (const { choices } of await client.chat.completions.create({ ...request, stream: true })) {
        streamed += choices[0]?.delta.content ?? "";
      }
      expect(streamed).toBe(cut.choices[0]?.message.content);
    }
  });
});

describe("log-probabilities", () => {
  test("of a greedy answer are each the highest at their place", async () => {
    const { choices } = await client.chat.completions.create({
      ...{ model: "one", messages: ask("How many?"), temperature: 0, max_tokens: 8, logprobs: true, top_logprobs: 3 },
    });
    const content = choices[0]?.logprobs?.content ?? [];
    expect(content).toHaveLength(8);
    expect(content.map(({ token }) => token).join("")).toBe(choices[0]?.message.content);
    for (const { logprob, top_logprobs } of content) {
      expect(top_logprobs).toHaveLength(3);
      expect(top_logprobs[0]?.logprob).toBe(logprob);
      expect(logprob).toBeLessThan(0);
      expect(logprob).toBeGreaterThanOrEqual(top_logprobs[1]?.logprob ?? 0);
    }
  });

  test("of an echoed prompt do not depend on what else is asked at the same time", async () => {
    const prompts = ["SELECT name FROM products", "the table has the columns id, name", "x".repeat(90)].map((text) =>
      renderer.encode(text),
    );
    const score = async (model: string, prompt: number[]) => {
      const { choices } = await client.completions.create({ model, prompt, echo: true, logprobs: 2, max_tokens: 0 });
      return choices[0]?.logprobs?.token_logprobs ?? [];
    };
    const alone: (number | null)[][] = [];
    for (const prompt of prompts) alone.push(await score("one", prompt));
    const together = await Promise.all([...prompts, ...prompts, ...prompts].map((prompt) => score("one", prompt)));
    for (const [index, scores] of together.entries()) {
      const expected = alone[index % prompts.length] ?? [];
      expect(scores).toHaveLength(expected.length);
      expect(scores[0]).toBeNull();
      for (const [at, score] of scores.slice(1).entries()) expect(score).toBeCloseTo(expected[at + 1] ?? 0, 4);
    }
  });

  test("add up to one over the whole vocabulary, tokens that end an answer among them", async () => {
    const prompt = renderer.encode("SELECT ");
    const logprobs: number[] = [];
    for (const start of [0, 128, 256, 384]) {
      const endings = Array.from({ length: 128 }, (_, i) => [...prompt, start + i]);
      const request = { model: "tiny", prompt: endings, echo: true, logprobs: 0, max_tokens: 0 };
      const { choices } = await client.completions.create(request);
      logprobs.push(...choices.map(({ logprobs: scores }) => scores?.token_logprobs?.at(-1) ?? Number.NaN));
    }
    expect(logprobs).toHaveLength(512);
    expect(sumOf(logprobs, (logprob) => Math.exp(logprob))).toBeCloseTo(1, 3);
  }, 60_000);

  test("name the draws: a token is drawn as often as they say", async () => {
    const request = { model: "tiny", prompt: "the", max_tokens: 1, n: 128, temperature: 1 };
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 8; seed++) {
      const { choices } = await client.completions.create({ ...request, seed });
      for (const { text } of choices) counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    const scored = await client.completions.create({ ...request, n: 1, temperature: 0, logprobs: 5 });
    const top = Object.entries(scored.choices[0]?.logprobs?.top_logprobs?.[0] ?? {});
    // Half characters all read the same, so their draws cannot be told apart.
    const likely = top.filter(([token]) => !token.includes("\ufffd"));
    expect(likely.length).toBeGreaterThan(1);
    for (const [token, logprob] of likely) {
      const p = Math.exp(logprob);
      const deviation = Math.sqrt(1024 * p * (1 - p));
      expect(Math.abs((counts.get(token) ?? 0) - 1024 * p)).toBeLessThan(4.5 * deviation);
    }
  }, 60_000);
});

describe("plain completions", () => {
  test("go on from text and from ids alike, one choice for each prompt", async () => {
    const texts = ["SELECT name", "the table"];
    const request = { model: "tiny", temperature: 0, max_tokens: 6 };
    const ofText = await client.completions.create({ ...request, prompt: texts });
    const ofIds = await client.completions.create({ ...request, prompt: texts.map((text) => renderer.encode(text)) });
    expect(ofIds.choices).toEqual(ofText.choices);
    expect(ofText.choices.map(({ index }) => index)).toEqual([0, 1]);
  });

  test("of a rendered conversation are its chat completion", async () => {
    const prompt = renderer.prompt(ask("How many?"), null).ids;
    const { choices } = await client.completions.create({ model: "tiny", prompt, temperature: 0, max_tokens: 9 });
    expect(choices[0]?.text).toBe((await greedy("tiny", "How many?", 9)).choices[0]?.message.content);
  });

  test("of an echo are told from the token on that is asked for, as of the whole", async () => {
    const request = { model: "tiny", prompt: "SELECT name FROM people", echo: true, logprobs: 0, max_tokens: 0 };
    const scoresOf = async (more: object) => {
      const { choices } = await client.completions.create({ ...request, ...more });
      return choices[0]?.logprobs?.token_logprobs ?? [];
    };
    const whole = await scoresOf({});
    const some = await scoresOf({ echo_logprobs_from: 3 });
    expect(some.slice(0, 3)).toEqual([null, null, null]);
    expect(some).toHaveLength(whole.length);
    for (const [at, value] of some.slice(3).entries()) expect(value).toBeCloseTo(whole[at + 3] ?? 0, 3);
  });

  test("echo the prompt before the answer, with the scores of both", async () => {
    const request = { model: "tiny", prompt: "SELECT name", temperature: 0, max_tokens: 4 };
    const plain = await client.completions.create(request);
    const echoed = await client.completions.create({ ...request, echo: true, logprobs: 1 });
    expect(echoed.choices[0]?.text).toBe(`SELECT name${plain.choices[0]?.text}`);
    expect(echoed.choices[0]?.logprobs?.tokens?.join("")).toBe(echoed.choices[0]?.text);
    expect(echoed.usage).toEqual(plain.usage);
  });
});

describe("many at once", () => {
  test("64 interleaved answers of base and adapters equal those given alone", async () => {
    const asked = Array.from({ length: 64 }, (_, i) => ({
      model: ["tiny", "one", "two"][i % 3] as string,
      content: `Row ${i}: ${"which city has the most customers? ".repeat(1 + (i % 5))}`,
      length: 5 + ((i * 7) % 23),
    }));
    const alone: unknown[] = [];
    for (const { model, content, length } of asked) alone.push((await greedy(model, content, length)).choices);
    const together = await Promise.all(asked.map(({ model, content, length }) => greedy(model, content, length)));
    expect(together.map(({ choices }) => choices)).toEqual(alone);
  }, 60_000);

  test("16 requests share batches, which healthz counts", async ({ onTestFinished }) => {
    const fresh = await startServer({ home, base: "tiny", adapters: [], parallel: 16, threads: 1 });
    onTestFinished(() => fresh.close());
    const length = 64;
    const complete = async (number: number) => {
      const body = JSON.stringify({ model: "tiny", prompt: `Row ${number}`, max_tokens: length, temperature: 0 });
      const response = await fetch(`${fresh.url}/completions`, { method: "POST", body });
      return ((await response.json()) as OpenAI.Completion).usage?.completion_tokens;
    };
    const numbers = Array.from({ length: 16 }, (_, i) => i);
    // The context opens with the first request, and by then all are there.
    expect(await Promise.all(numbers.map(complete))).toEqual(numbers.map(() => length));
    const together = await health(fresh);
    await complete(0);
    const alone = (await health(fresh)).batches - together.batches;
    expect(alone).toBe(length);
    expect(together.batches).toBeLessThan((16 * alone) / 4);
    expect(together.tokens).toBeGreaterThanOrEqual(16 * alone);
  });

  test("two answers share every batch", async () => {
    const before = await health();
    await client.completions.create({ model: "tiny", prompt: "Row", n: 2, max_tokens: 64, temperature: 0 });
    const { batches, tokens } = await health();
    expect(tokens - before.tokens).toBeGreaterThanOrEqual(2 * 64);
    expect(batches - before.batches).toBeLessThan(64 + 4);
  });

  test("a short answer ends before long ones that began earlier, also in a place that holds another prompt", async () => {
    await Promise.all(Array.from({ length: 8 }, (_, i) => greedy("tiny", `${i} is what each place holds`, 4)));
    const long = { model: "tiny", prompt: "Go", n: 4, max_tokens: 450, temperature: 0, stream: true as const };
    let endedBefore = 0;
    let isShortDone = false;
    let short: Promise<void> | undefined;
    for await (const { choices } of await client.completions.create(long)) {
      endedBefore += choices.filter(({ finish_reason }) => finish_reason !== null && !isShortDone).length;
      short ??= greedy("tiny", "Brief", 4).then(() => {
        isShortDone = true;
      });
    }
    await short;
    expect(endedBefore).toBe(0);
  });
});

describe("tokenize", () => {
  test("gives the renderer's ids of a text and of a conversation", async () => {
    const post = async (body: unknown) =>
      (await fetch(`${server.url.replace("/v1", "")}/tokenize`, { method: "POST", body: JSON.stringify(body) })).json();
    expect(await post({ prompt: "SELECT 1" })).toEqual({
      ...{ count: renderer.encode("SELECT 1").length, max_model_len: 512, tokens: renderer.encode("SELECT 1") },
    });
    expect(await post({ messages: ask("Hi") })).toMatchObject({ tokens: renderer.prompt(ask("Hi"), null).ids });
  });
});

describe("bad requests", () => {
  test("for a model that is not served get 404 with the nearest names", async () => {
    await expect(greedy("tyni", "Hi")).rejects.toThrow(
      apiError(404, { code: "model_not_found", message: expect.stringContaining("one of: tiny, one, two") }),
    );
  });

  test("with a prompt longer than the context get 400", async () => {
    await expect(greedy("tiny", "a b c d ".repeat(400))).rejects.toThrow(
      apiError(400, { code: "context_length_exceeded" }),
    );
  });

  test("name the field that is wrong", async () => {
    const base = { model: "tiny", messages: ask("Hi") };
    const wrong: [Record<string, unknown>, string][] = [
      [{ temperature: -1 }, "temperature"],
      [{ messages: [] }, "messages"],
      [{ messages: [{ role: "king", content: "Hi" }] }, "messages.0.role"],
      [{ n: 0 }, "n"],
      [{ presence_penalty: 1 }, "presence_penalty"],
      [{ response_format: { type: "json_object" } }, "response_format.type"],
      [{ max_tokens: "many" }, "max_tokens"],
    ];
    for (const [change, param] of wrong) {
      const request = { ...base, ...change } as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming;
      await expect(client.chat.completions.create(request)).rejects.toThrow(
        apiError(400, { param, type: "invalid_request_error" }),
      );
    }
    await expect(client.completions.create({ model: "tiny", prompt: [5, 512] })).rejects.toThrow(
      apiError(400, { param: "prompt", message: expect.stringContaining("512") }),
    );
    await expect(client.completions.create({ model: "tiny", prompt: "" })).rejects.toThrow(
      apiError(400, { param: "prompt" }),
    );
  });

  test("that are no JSON, or go where nothing is, get OpenAI's error shape", async () => {
    const broken = await fetch(`${server.url}/chat/completions`, { method: "POST", body: "{" });
    expect([broken.status, await broken.json()]).toEqual([400, { error: expect.objectContaining({ param: "body" }) }]);
    const nowhere = await fetch(`${server.url}/embeddings`, { method: "POST", body: "{}" });
    expect([nowhere.status, await nowhere.json()]).toEqual([
      404,
      { error: expect.objectContaining({ type: "invalid_request_error" }) },
    ]);
  });

  test("are told from full ones: more than may wait get 429 and when to come again", async () => {
    const crowded = await startServer({ home, base: "tiny", adapters: [], parallel: 1, threads: 1, queueLimit: 2 });
    const url = `${crowded.url}/completions`;
    const body = JSON.stringify({ model: "tiny", prompt: "a", max_tokens: 40, temperature: 0 });
    const responses = await Promise.all(Array.from({ length: 8 }, () => fetch(url, { method: "POST", body })));
    const refused = responses.filter(({ status }) => status === 429);
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(refused).toHaveLength(5);
    expect(refused[0]?.headers.get("retry-after")).toBe("1");
    expect(await refused[0]?.json()).toMatchObject({ error: { code: "rate_limit_exceeded" } });
    await Promise.all(responses.filter(({ bodyUsed }) => !bodyUsed).map((response) => response.text()));
    expect((await fetch(url, { method: "POST", body })).status).toBe(200);
    await crowded.close();
  });
});

describe("a client that goes away", () => {
  test("in the middle of a stream ends the generation and frees its place", async () => {
    const stop = new AbortController();
    const long = {
      model: "tiny",
      messages: ask("Go on"),
      max_tokens: 400,
      temperature: 1,
      seed: 3,
      stream: true as const,
    };
    const stream = await client.chat.completions.create(long, { signal: stop.signal });
    for await (const _ of stream) stop.abort();
    await isQuiet();
  });

  test("while it waits for a whole answer ends that too, and is no bug to tell of", async ({ onTestFinished }) => {
    const stop = new AbortController();
    const told: unknown[] = [];
    const { error } = console;
    console.error = (...words) => told.push(words);
    onTestFinished(() => {
      console.error = error;
    });
    const request = { model: "tiny", prompt: "Go", max_tokens: 450, n: 128 };
    const asked = client.completions.create(request, { signal: stop.signal });
    await expect.poll(async () => (await health()).waiting, { interval: 5 }).toBeGreaterThan(0);
    stop.abort();
    await expect(asked).rejects.toThrow();
    await isQuiet();
    expect((await greedy("tiny", "Still there?")).choices).toHaveLength(1);
    expect(told).toEqual([]);
  });
});

describe("starting", () => {
  const start = (options: Partial<Parameters<typeof startServer>[0]>) =>
    startServer({ home, base: "tiny", adapters: [], threads: 1, ...options });

  test("is refused for an unknown base or adapter, and for a port that is taken", async () => {
    await expect(start({ base: "tini" })).rejects.toThrow(expect.objectContaining({ code: "UNKNOWN_BASE" }));
    await expect(start({ adapters: ["three"] })).rejects.toThrow(expect.objectContaining({ code: "UNKNOWN_ADAPTER" }));
    const port = Number(new URL(server.url).port);
    await expect(start({ port })).rejects.toThrow(expect.objectContaining({ code: "PORT_IN_USE" }));
    vi.stubEnv("TRACEMILL_LLAMA_SERVER", "/nowhere/llama-server");
    const ofOther = start({ port, target: "llama-server" }).finally(() => vi.unstubAllEnvs());
    await expect(ofOther, "before anything is started").rejects.toMatchObject({ code: "PORT_IN_USE" });
  });

  test("lets its port go where it fails", async () => {
    const port = await freePort();
    await expect(start({ port, adapters: ["three"] })).rejects.toMatchObject({ code: "UNKNOWN_ADAPTER" });
    await (await start({ port })).close();
  });

  test("takes an adapter by a prefix of its hash, and only once", async () => {
    const { adapterHash } = server.models[1] ?? {};
    const again = await start({ adapters: [adapterHash?.slice(0, 12) ?? "", "one"] });
    expect(again.models.map(({ id }) => id)).toEqual(["tiny", "one"]);
    await again.close();
    await expect(fetch(`${again.url}/models`)).rejects.toThrow();
  });

  test("and closing lets a running answer finish, then refuses new ones", async () => {
    const brief = await start({});
    const body = JSON.stringify({ model: "tiny", prompt: "a", max_tokens: 200, temperature: 0 });
    const ask = () => fetch(`${brief.url}/completions`, { method: "POST", body });
    const running = ask();
    const healthz = `${brief.url.replace("/v1", "")}/healthz`;
    const isRunning = async () => (await (await fetch(healthz)).text()).includes('"active":1');
    await expect.poll(isRunning, { interval: 5 }).toBe(true);
    const closed = brief.close();
    const answer = (await (await running).json()) as OpenAI.Completion;
    expect(answer.usage?.completion_tokens).toBeGreaterThan(0);
    expect(answer.choices[0]?.finish_reason).toMatch(/stop|length/);
    await closed;
    await expect(ask()).rejects.toThrow();
  });
});
