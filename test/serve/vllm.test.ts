/** vLLM as a target: the real server, started once for all of its tests. What needs it is skipped where it is not there. */
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { shortHash } from "../../src/foundation/hashing.ts";
import type { AdapterManifest } from "../../src/records/adapter-manifest.ts";
import { addBase } from "../../src/serve/add-base.ts";
import { checkCanary } from "../../src/serve/canary.ts";
import type { RunningServer } from "../../src/serve/running-server.ts";
import { startServer } from "../../src/serve/server.ts";
import type { ModelServerOptions } from "../../src/serve/target.ts";
import vllm from "../../src/serve/targets/vllm.ts";
import { vllmEnvironment, vllmFlags } from "../../src/serve/vllm-flags.ts";
import type { Home } from "../../src/store/home.ts";
import { randomAdapter, readProbes, registerSpoiledAdapters } from "../fixtures/adapters.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";
import { whyNoVllm } from "../fixtures/vllm.ts";
import { temporaryHome } from "../harness/setting.ts";

const MISSING = whyNoVllm();
const START_MS = 400_000;
/** Nats: how far a batch may move the first token of an answer, in bf16. */
const BATCH_NOISE = 0.1;
const PROMPTS = [
  "SELECT name",
  "SELECT COUNT(*)",
  "You write",
  "The table",
  "CREATE TABLE",
  "List the",
  "Which",
  "SUM(",
];

let home: Home;
let removeHome: () => void;
let hf: string;
let adapters = new Map<string, AdapterManifest>();

beforeAll(async () => {
  if (MISSING !== null) console.warn(`skipped: ${MISSING}`);
  ({ home, remove: removeHome } = temporaryHome());
  const made = await tinyBase(128);
  hf = made.hf;
  const base = await addBase(home, { name: "tiny", ...made, convert: async () => {}, clock: systemClock });
  adapters = await registerSpoiledAdapters(home, base, { hf, form: "peft" });
}, START_MS);

afterAll(() => removeHome?.());

const OPTIONS: Omit<ModelServerOptions, "base" | "logFile"> = {
  ...{ baseFolder: "/bases/x", adapters: [], parallel: 8, contextTokens: 2048, args: [], startTimeoutMs: START_MS },
  rooms: { adapters: 1, rank: 12 },
};
const flagsOf = (architecture: string, change: Partial<ModelServerOptions> = {}) =>
  vllmFlags({ ...OPTIONS, base: { name: "b", architecture }, logFile: "/log", ...change } as ModelServerOptions, {
    ...{ port: 8001, isOnGpu: true },
  });

describe("the flags of vLLM", () => {
  it("make room for the highest rank and for one candidate more, on loopback, with the family's parsers", () => {
    const flags = flagsOf("gemma4").join(" ");
    expect(flags).toContain("--max-lora-rank 16 --max-loras 2");
    expect(flags).toContain("--host 127.0.0.1 --port 8001");
    expect(flags).toContain("--tool-call-parser gemma4");
    expect(flagsOf("llama").join(" ")).not.toContain("parser");
  });

  it("name adapters that are served from the start by name and folder", () => {
    const flags = flagsOf("llama", { adapters: [{ id: "a-v1", folder: "/adapters/a" }] });
    const module = JSON.parse(flags[flags.indexOf("--lora-modules") + 1] ?? "");
    expect(module).toEqual({ name: "a-v1", path: "/adapters/a", base_model_name: "b" });
  });

  it("refuse a rank that there is no room for", () => {
    expect(() => flagsOf("llama", { rooms: { adapters: 1, rank: 513 } })).toThrow(
      expect.objectContaining({ code: "RANK_TOO_HIGH" }),
    );
  });

  it("hold what the user says beside, and refuse what is said by tracemill, however it is written", () => {
    const args = ["--tensor-parallel-size", "2", "--quantization=bitsandbytes"];
    expect(flagsOf("llama", { args }).slice(-3)).toEqual(args);
    for (const arg of ["--port", "--max_lora_rank=64", "--served-model", "--enable-lora"]) {
      expect(() => flagsOf("llama", { args: [arg] })).toThrow(expect.objectContaining({ code: "FLAG_NOT_YOURS" }));
    }
  });

  it("let adapters be loaded while it runs, on an address that this machine alone reaches, and fetch nothing", () => {
    expect(flagsOf("llama").join(" ")).toContain("--host 127.0.0.1");
    expect(vllmEnvironment(true)).toMatchObject({
      ...{ VLLM_ALLOW_RUNTIME_LORA_UPDATING: "True", HF_HUB_OFFLINE: "1", VLLM_NO_USAGE_STATS: "1" },
    });
  });
});

it("is refused with what to do where it is not there", async () => {
  vi.stubEnv("TRACEMILL_VLLM", "/nowhere/vllm");
  const started = startServer({ home, base: "tiny", adapters: [], target: "vllm" });
  await expect(started).rejects.toMatchObject({ code: "NO_VLLM", details: { got: "/nowhere/vllm" } });
  vi.unstubAllEnvs();
});

describe.skipIf(MISSING !== null)("vLLM, started here", () => {
  let server: RunningServer;
  const options = () => ({
    ...{ home, base: "tiny", adapters: ["sound"], candidates: ["other"], target: "vllm" },
    ...{ parallel: 16, contextTokens: 512 },
  });

  beforeAll(async () => {
    server = await startServer(options());
  }, START_MS);

  afterAll(() => server?.close());

  /** The first token that a model answers with, and its log-probability. */
  async function first(model: string, prompt: string): Promise<{ token: string; logprob: number }> {
    const body = { model, prompt, temperature: 0, max_tokens: 1, logprobs: 1 };
    const response = await fetch(`${server.url}/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const { choices } = (await response.json()) as {
      choices: { logprobs: { tokens: string[]; token_logprobs: number[] } }[];
    };
    const { tokens, token_logprobs } = choices[0]?.logprobs ?? { tokens: [], token_logprobs: [] };
    return { token: tokens[0] ?? "", logprob: token_logprobs[0] ?? Number.NaN };
  }

  async function canary(model: string, { adapter, seed }: { adapter: string; seed: number }) {
    const probes = await readProbes(await randomAdapter(hf, { seed }));
    const manifest = adapters.get(adapter) as AdapterManifest;
    return checkCanary({ url: server.url, model, baseModel: "tiny", adapter: manifest, probes, target: "vllm" });
  }

  const candidate = () => `other@${shortHash(adapters.get("other")?.adapterHash ?? "")}`;

  it("serves the base beside a kept adapter and a candidate whose name holds its hash", async () => {
    const listed = (await (await fetch(`${server.url}/models`)).json()) as {
      data: { id: string; parent: string | null }[];
    };
    expect(listed.data.map(({ id }) => id).sort()).toEqual(["sound", "tiny", candidate()].sort());
    expect(listed.data.find(({ id }) => id === "sound")?.parent).toBe("tiny");
    expect(server.idOf(adapters.get("other")?.adapterHash ?? null)).toBe(candidate());
    expect(server.takesSeed).toBe(false);
  });

  it(
    "shows that both are live, and that neither the base nor another adapter passes for one",
    async () => {
      for (const [model, adapter, seed] of [
        ["sound", "sound", 1],
        [candidate(), "other", 2],
      ] as const) {
        const { effect, difference, limits } = await canary(model, { adapter, seed });
        console.log(
          `vLLM, ${adapter}: effect ${effect.endpoint.toFixed(3)} (trainer ${effect.trainer.toFixed(3)}), ` +
            `adapter ${difference.adapter.toFixed(4)}, base ${difference.base.toFixed(4)} from the trainer, at most ${limits.differenceAtMost.toFixed(4)}`,
        );
        expect(difference.adapter).toBeLessThan(limits.differenceAtMost);
      }
      await expect(canary("tiny", { adapter: "sound", seed: 1 })).rejects.toMatchObject({ code: "ADAPTER_NOT_LIVE" });
      await expect(canary("sound", { adapter: "other", seed: 2 })).rejects.toMatchObject({ code: "ADAPTER_NOT_LIVE" });
    },
    START_MS,
  );

  it(
    "loads adapters while it runs, shows that one of zeros and one with its modules exchanged are not live, and unloads them",
    async () => {
      for (const name of ["zero", "swapped"]) {
        expect(await server.load(name)).toBe(name);
        expect(server.models.map(({ id }) => id)).toContain(name);
        await expect(canary(name, { adapter: name, seed: 1 })).rejects.toMatchObject({ code: "ADAPTER_NOT_LIVE" });
        await server.unload(name);
        expect(server.models.map(({ id }) => id)).not.toContain(name);
        await expect(first(name, "SELECT")).rejects.toThrow();
      }
    },
    START_MS,
  );

  it(
    "answers by another name with the model that it means, from one request to the next",
    async () => {
      server.call(new Map([["sql", { id: "sound" }]]));
      expect(await first("sql", "SELECT name")).toEqual(await first("sound", "SELECT name"));
      server.call(new Map([["sql", { id: "tiny" }]]));
      expect(await first("sql", "SELECT name")).toEqual(await first("tiny", "SELECT name"));
    },
    START_MS,
  );

  it(
    "that runs already refuses an adapter of a higher rank than it was started for",
    async () => {
      const folder = join(home.path, "rank-64");
      await cp(home.adapterFolder(adapters.get("sound")?.adapterHash ?? ""), folder, { recursive: true });
      const config = JSON.parse(await readFile(join(folder, "adapter_config.json"), "utf8")) as object;
      await writeFile(join(folder, "adapter_config.json"), JSON.stringify({ ...config, r: 64 }));
      const log = await readFile(join(home.servers, `vllm-${process.pid}.log`), "utf8");
      vi.stubEnv("TRACEMILL_VLLM", /http:\/\/127\.0\.0\.1:\d+/.exec(log)?.[0] ?? "");
      const { serve } = vllm as Extract<typeof vllm, { serve: unknown }>;
      const base = { name: "tiny", architecture: "llama" } as ModelServerOptions["base"];
      const attached = await serve({ ...OPTIONS, base, logFile: join(home.servers, "none.log") });
      await expect(attached.load({ id: "rank-64", folder })).rejects.toMatchObject({ code: "RANK_TOO_HIGH" });
      await attached.close();
      vi.unstubAllEnvs();
    },
    START_MS,
  );

  it(
    "answers 64 interleaved requests of three models each as it does alone",
    async () => {
      const models = ["tiny", "sound", candidate()];
      const alone = new Map<string, { token: string; logprob: number }>();
      for (const model of models)
        for (const prompt of PROMPTS) alone.set(`${model} ${prompt}`, await first(model, prompt));
      const asked = Array.from({ length: 64 }, (_, i) => ({
        model: models[i % 3] ?? "",
        prompt: PROMPTS[i % 8] ?? "",
      }));
      const together = await Promise.all(asked.map(({ model, prompt }) => first(model, prompt)));
      let equal = 0;
      for (const [i, { model, prompt }] of asked.entries()) {
        const solo = alone.get(`${model} ${prompt}`);
        expect(Math.abs((together[i]?.logprob ?? 9) - (solo?.logprob ?? 0))).toBeLessThan(BATCH_NOISE);
        if (together[i]?.token === solo?.token) equal += 1;
      }
      console.log(`vLLM: ${equal} of 64 interleaved answers have the token of their solo answer`);
      expect(equal).toBeGreaterThanOrEqual(60);
      const differing = PROMPTS.filter((prompt) => {
        const [base, kept] = ["tiny", "sound"].map((model) => alone.get(`${model} ${prompt}`));
        return base?.token !== kept?.token || Math.abs((base?.logprob ?? 0) - (kept?.logprob ?? 0)) > BATCH_NOISE;
      });
      expect(differing.length).toBeGreaterThanOrEqual(4); // else a mixed-up answer could not be told
    },
    START_MS,
  );

  it(
    "writes what it says into a log, and is there again after it was killed",
    async () => {
      const log = join(home.servers, `vllm-${process.pid}.log`);
      expect(await readFile(log, "utf8")).toContain("Application startup complete");
      const { url } = server;
      const { port } = new URL(url);
      process.kill(-(server.pid() as number), "SIGKILL");
      await expect(first("sound", "SELECT")).rejects.toThrow();
      await server.close();
      await expect(fetch(`${url}/models`)).rejects.toThrow();
      server = await startServer({ ...options(), port: Number(port) });
      expect(server.url).toBe(url);
      expect((await first("sound", "SELECT")).token).not.toBe("");
    },
    START_MS,
  );
});

describe.skipIf(MISSING !== null)("vLLM that cannot load", () => {
  it(
    "is shown with its last words",
    async () => {
      const broken = vllm as Extract<typeof vllm, { serve: unknown }>;
      const started = broken.serve({
        ...OPTIONS,
        base: { name: "b", architecture: "llama" } as ModelServerOptions["base"],
        ...{ baseFolder: join(home.path, "no-such-base"), logFile: join(home.servers, "broken.log") },
      });
      await expect(started).rejects.toMatchObject({
        code: "SERVER_DIED",
        message: expect.stringMatching(/no-such-base/),
      });
    },
    START_MS,
  );
});
