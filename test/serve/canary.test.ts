import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { random } from "../../src/foundation/random.ts";
import type { AdapterManifest, Probes } from "../../src/records/adapter-manifest.ts";
import { addBase } from "../../src/serve/add-base.ts";
import { checkCanary } from "../../src/serve/canary.ts";
import type { RunningServer } from "../../src/serve/running-server.ts";
import { startServer } from "../../src/serve/server.ts";
import { homeAt } from "../../src/store/home.ts";
import { randomAdapter, readProbes, registerSpoiledAdapters, tinyAdapter } from "../fixtures/adapters.ts";
import { smollm2Base } from "../fixtures/smollm2-base.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";

let folder: string;
let server: RunningServer;
let probes: Probes;
let adapters = new Map<string, AdapterManifest>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-canary-"));
  const home = homeAt(folder);
  const made = await tinyBase();
  const base = await addBase(home, { name: "tiny", ...made, convert: async () => {}, clock: systemClock });
  adapters = await registerSpoiledAdapters(home, base, made);
  probes = await readProbes(await tinyAdapter(1));
  server = await startServer({ home, base: "tiny", adapters: [...adapters.keys()], parallel: 4, threads: 1 });
}, 120_000);

afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

function check(model: string, options: { probes?: Probes; baseModel?: string; url?: string } = {}) {
  const adapter = adapters.get(model) as AdapterManifest;
  return checkCanary({ url: server.url, model, baseModel: "tiny", adapter, probes, ...options });
}

/**
 * Stands before the server; names the model that answers beside those that are underway, null for an empty answer. Of
 * those that are `said` it answers as written there, where prompts are not scored.
 */
async function relay(
  answering: (underway: readonly string[], model: string) => string | null,
  said: Record<string, string> = {},
): Promise<string> {
  const underway: string[] = [];
  const standing = createServer(async (request, response) => {
    const asked = JSON.parse(await text(request)) as { model: string; echo?: boolean };
    underway.push(asked.model);
    await sleep(100);
    const model = answering(underway, asked.model);
    const written = asked.echo === true ? undefined : model === null ? answerOf([]) : said[model];
    const body = JSON.stringify({ ...asked, model: model ?? asked.model });
    const [status, told] = written !== undefined ? [200, written] : await answerTo(body);
    underway.splice(underway.indexOf(asked.model), 1);
    response.writeHead(status).end(told);
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void standing.close());
  await new Promise((done) => standing.once("listening", done));
  return `http://127.0.0.1:${(standing.address() as AddressInfo).port}/v1`;
}

/** An answer of tokens, each the likeliest of those that are told at its place, with their log-probabilities. */
function answerOf(places: Record<string, number>[], { withOthers = true } = {}): string {
  const logprobs = {
    tokens: places.map((place) => Object.keys(place)[0]),
    token_logprobs: places.map((place) => Object.values(place)[0]),
    ...(withOthers && { top_logprobs: places }),
  };
  return JSON.stringify({ choices: [{ text: "", logprobs }] });
}

async function answerTo(body: string): Promise<[number, string]> {
  const answer = await fetch(`${server.url}/completions`, { method: "POST", body });
  return [answer.status, await answer.text()];
}

const notLive = (message: string) =>
  expect.objectContaining({ name: "Refusal", code: "ADAPTER_NOT_LIVE", message: expect.stringContaining(message) });

test("an adapter that is served as it was trained is live, well inside the limits", async () => {
  const { effect, difference, together, limits, tokens } = await check("sound");
  expect(tokens).toBe(probes.probes.reduce((sum, { ids }) => sum + ids.length - 1, 0));
  expect(effect.endpoint).toBeCloseTo(effect.trainer, 2);
  expect(difference.adapter).toBeLessThan(limits.differenceAtMost / 3);
  expect(together).toBeLessThan(limits.togetherAtMost / 3);
});

test("an adapter is live where at the same time another token comes that was as likely alone", async () => {
  const said = { tiny: answerOf([{ You: -0.7, The: -0.72 }]), sound: answerOf([{ The: -0.7, You: -0.72 }]) };
  const url = await relay((underway, model) => (underway.includes("sound") ? "sound" : model), said);
  const { together, limits } = await check("sound", { url });
  expect(together).toBeCloseTo(0.02);
  expect(together).toBeLessThan(limits.togetherAtMost);
});

describe("figures of a base in 4 bits", () => {
  /** Moves base and adapter alike, and a little each for itself, as far as 4 bits were seen to. */
  function in4Bits({ dtype }: { dtype: string }): Probes {
    const { next } = random("4 bits");
    const noise = (most: number) => (2 * next() - 1) * most;
    const moved = probes.probes.map(({ ids, baseLogprobs, adapterLogprobs }) => {
      const alike = baseLogprobs.map(() => noise(0.6));
      const move = (values: number[]) => values.map((value, i) => value + (alike[i] as number) + noise(0.2));
      return { ids, baseLogprobs: move(baseLogprobs), adapterLogprobs: move(adapterLogprobs) };
    });
    return { ...probes, dtype, probes: moved };
  }

  test("are further from the endpoint's than others may be, and tell a live adapter all the same", async () => {
    const { difference, limits } = await check("sound", { probes: in4Bits({ dtype: "nf4" }) });
    expect(difference.base).toBeGreaterThan(0.25);
    expect(difference.adapter).toBeLessThan(limits.differenceAtMost);
    const asFloat32 = check("sound", { probes: in4Bits({ dtype: "float32" }) });
    await expect(asFloat32).rejects.toThrow(notLive("is not the one of the trainer"));
  });

  test("tell another adapter, one of zeros, and another base under its name", async () => {
    const nf4 = in4Bits({ dtype: "nf4" });
    await expect(check("other", { probes: nf4 })).rejects.toThrow(notLive("is applied wrongly"));
    await expect(check("zero", { probes: nf4 })).rejects.toThrow(notLive("changes too little"));
    const otherBase = { probes: nf4, baseModel: "other" };
    await expect(check("sound", otherBase)).rejects.toMatchObject({ code: "ADAPTER_NOT_LIVE" });
  });
});

describe("an adapter is not live", () => {
  test("where its weights are all zero", async () => {
    await expect(check("zero")).rejects.toThrow(notLive("changes too little"));
  });

  test("where the rows of q and k are not permuted as llama.cpp has them", async () => {
    await expect(check("unpermuted")).rejects.toThrow(notLive("is applied wrongly"));
  });

  test("where the endpoint serves another adapter under its name", async () => {
    await expect(check("other")).rejects.toThrow(notLive("is applied wrongly"));
  });

  test("where the endpoint's base answers under its name", async () => {
    const adapter = adapters.get("sound") as AdapterManifest;
    await expect(checkCanary({ url: server.url, model: "tiny", baseModel: "tiny", adapter, probes })).rejects.toThrow(
      notLive("changes too little"),
    );
  });

  test("where the endpoint's base is another model", async () => {
    await expect(check("sound", { baseModel: "other" })).rejects.toThrow(notLive("is not the one of the trainer"));
  });

  test("where a request that meets one of the other model is answered by that one's weights, and scores are right", async () => {
    const url = await relay((underway, model) => (underway.includes("sound") ? "sound" : model));
    await expect(check("sound", { url })).rejects.toThrow(notLive("The adapter sound and its base are mixed up"));
  });

  test("where it says nothing beside another model's request, and something alone", async () => {
    const url = await relay((underway, model) => (underway.length > 1 ? null : model));
    await expect(check("sound", { url })).rejects.toThrow(notLive("The adapter sound and its base are mixed up"));
  });

  test("where both say other things alone, as surely, and one of them answers both at the same time", async () => {
    const [base, sound] = [[{ You: -0.1, The: -3 }], [{ SELECT: -0.05, WITH: -4 }]];
    for (const withOthers of [true, false]) {
      const said = { tiny: answerOf(base, { withOthers }), sound: answerOf(sound, { withOthers }) };
      const url = await relay((underway, model) => (underway.includes("sound") ? "sound" : model), said);
      await expect(check("sound", { url })).rejects.toThrow(notLive("The adapter sound and its base are mixed up"));
      expect((await check("sound", { url: await relay((_, model) => model, said) })).together).toBe(0);
    }
  });

  test("where it goes on beside another model's request after it surely ended alone", async () => {
    const [base, sound] = [
      [{ yes: -0.1, no: -3 }],
      [
        { yes: -0.1, no: -3 },
        { and: -0.1, "": -3 },
      ],
    ];
    const said = { tiny: answerOf(base), sound: answerOf(sound) };
    const url = await relay((underway, model) => (underway.includes("sound") ? "sound" : model), said);
    await expect(check("sound", { url })).rejects.toThrow(notLive("The adapter sound and its base are mixed up"));
  });

  test("where by the trainer's own figures it changes nothing", async () => {
    const idle = probes.probes.map((probe) => ({ ...probe, adapterLogprobs: probe.baseLogprobs }));
    await expect(check("zero", { probes: { ...probes, probes: idle } })).rejects.toThrow(notLive("changes too little"));
  });
});

describe("an endpoint that cannot be asked is a failure, not a verdict on the adapter", () => {
  const failure = (code: string) => expect.objectContaining({ name: "Failure", boundary: "endpoint", code });

  test("where every answer is empty, as a mix-up would not show", async () => {
    const url = await relay(() => null);
    await expect(check("sound", { url })).rejects.toThrow(failure("NO_ANSWERS"));
  });

  test("where it does not know the model, or nothing listens", async () => {
    await expect(check("sound", { baseModel: "nobody" })).rejects.toThrow(failure("ENDPOINT_REFUSED"));
    await expect(check("sound", { url: "http://127.0.0.1:9/v1" })).rejects.toThrow(failure("ENDPOINT_UNREACHABLE"));
  });

  test("where it fails, which is told apart from one that does not score prompts", async () => {
    for (const [status, code] of [
      [500, "ENDPOINT_FAILED"],
      [503, "ENDPOINT_FAILED"],
      [429, "ENDPOINT_FAILED"],
      [501, "NO_PROMPT_SCORES"],
      [400, "NO_PROMPT_SCORES"],
      [401, "ENDPOINT_REFUSED"],
    ] as const) {
      const stranger = createServer((_, response) => response.writeHead(status).end("{}")).listen(0, "127.0.0.1");
      await new Promise((done) => stranger.once("listening", done));
      const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}/v1`;
      await expect(check("sound", { url })).rejects.toThrow(failure(code));
      stranger.close();
    }
  });

  test("where its answers hold no scores of the prompt, or are no JSON", async () => {
    for (const body of ['{"choices":[{"text":"no scores"}]}', "<html>"]) {
      const stranger = createServer((_, response) => response.end(body)).listen(0, "127.0.0.1");
      await new Promise((done) => stranger.once("listening", done));
      const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}/v1`;
      await expect(check("sound", { url })).rejects.toThrow(failure("NO_PROMPT_SCORES"));
      stranger.close();
    }
  });
});

const isLong = process.env.TRACEMILL_LONG !== undefined;
if (!isLong) console.log("skipped: the canary on SmolLM2 takes minutes (TRACEMILL_LONG=1 runs it)");

describe.skipIf(!isLong)("on the real base", () => {
  test("a random adapter is live, and its spoiled forms are not", async () => {
    const real = await smollm2Base();
    const home = homeAt(join(folder, "real"));
    const base = await addBase(home, { name: "smollm2", ...real, convert: async () => {}, clock: systemClock });
    adapters = await registerSpoiledAdapters(home, base, real);
    const its = { baseModel: "smollm2", probes: await readProbes(await randomAdapter(real.hf, { seed: 1 })) };
    const names = ["sound", "zero", "unpermuted"];
    const running = await startServer({ home, base: "smollm2", adapters: names, parallel: 2, contextTokens: 256 });
    const { limits, difference } = await check("sound", { ...its, url: running.url });
    expect(difference.adapter).toBeLessThan(limits.differenceAtMost);
    await expect(check("zero", { ...its, url: running.url })).rejects.toThrow(notLive("changes too little"));
    await expect(check("unpermuted", { ...its, url: running.url })).rejects.toThrow(notLive("is applied wrongly"));
    await running.close();
  }, 600_000);
});
