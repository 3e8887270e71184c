/** vLLM as a target: the real server, started once for all of its tests. What needs it is skipped where it is not there. */
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Context } from "../../src/commands/command.ts";
import { calledChampions } from "../../src/commands/serve-champions.ts";
import { follow } from "../../src/commands/serve-follow.ts";
import { restarting } from "../../src/commands/serve-restarts.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { type Hash, shortHash } from "../../src/foundation/hashing.ts";
import type { AdapterManifest } from "../../src/records/adapter-manifest.ts";
import type { RunId } from "../../src/records/ids.ts";
import { addBase } from "../../src/serve/add-base.ts";
import { checkCanary } from "../../src/serve/canary.ts";
import type { RunningServer } from "../../src/serve/running-server.ts";
import { startServer } from "../../src/serve/server.ts";
import type { ModelServerOptions } from "../../src/serve/target.ts";
import vllm from "../../src/serve/targets/vllm.ts";
import { vllmEnvironment, vllmFlags } from "../../src/serve/vllm-flags.ts";
import type { Home } from "../../src/store/home.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { readBaseManifest } from "../../src/store/manifests.ts";
import { randomAdapter, readProbes, registerSpoiledAdapters } from "../fixtures/adapters.ts";
import { commandsOfGroup, groupsBegunBy } from "../fixtures/processes.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { whyNoVllm } from "../fixtures/vllm.ts";
import { answerTokens, isSameAnswer, modelsOfStream, textOf } from "../fixtures/vllm-answers.ts";
import { eventsOf, only, temporaryHome } from "../harness/setting.ts";

const MISSING = whyNoVllm();
const START_MS = 400_000;
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
let context: Context;
let removeHome: () => void;
let hf: string;
let adapters = new Map<string, AdapterManifest>();

beforeAll(async () => {
  if (MISSING !== null) console.warn(`skipped: ${MISSING}`);
  ({ home, remove: removeHome } = temporaryHome());
  const { stdout, stderr } = process;
  context = { home, clock: systemClock, stdout, stderr, isJson: false, signal: new AbortController().signal };
  const made = await tinyBase(128);
  hf = made.hf;
  const base = await addBase(home, { name: "tiny", ...made, convert: async () => {}, clock: systemClock });
  adapters = await registerSpoiledAdapters(home, base, { hf, form: "peft" });
}, START_MS);

afterAll(() => removeHome?.());

const OPTIONS: Omit<ModelServerOptions, "home" | "base" | "logFile"> = {
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

  const answered = (model: string, prompt: string) => answerTokens(server.url, { model, prompt });

  async function canary(model: string, { adapter, seed }: { adapter: string; seed: number }) {
    const probes = await readProbes(await randomAdapter(hf, { seed }));
    const manifest = adapters.get(adapter) as AdapterManifest;
    return checkCanary({ url: server.url, model, baseModel: "tiny", adapter: manifest, probes, target: "vllm" });
  }

  /** Where vLLM itself answers, behind our front. */
  async function originOfOwn(): Promise<string> {
    const log = await readFile(join(home.servers, `vllm-${process.pid}.log`), "utf8");
    return /http:\/\/127\.0\.0\.1:\d+/.exec(log)?.[0] ?? "";
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
        const { effect, difference, together, limits } = await canary(model, { adapter, seed });
        console.log(
          `vLLM, ${adapter}: effect ${effect.endpoint.toFixed(3)} (trainer ${effect.trainer.toFixed(3)}), ` +
            `adapter ${difference.adapter.toFixed(4)}, base ${difference.base.toFixed(4)} from the trainer, at most ${limits.differenceAtMost.toFixed(4)}; ` +
            `at the same time ${together.toFixed(4)} from alone, at most ${limits.togetherAtMost.toFixed(4)}`,
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
        await expect(answered(name, "SELECT")).rejects.toThrow();
      }
    },
    START_MS,
  );

  it(
    "answers by another name with the model that it means, from one request to the next",
    async () => {
      server.call(new Map([["sql", { id: "sound" }]]));
      expect(await answered("sql", "SELECT name")).toEqual(await answered("sound", "SELECT name"));
      server.call(new Map([["sql", { id: "tiny" }]]));
      expect(await answered("sql", "SELECT name")).toEqual(await answered("tiny", "SELECT name"));
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
      vi.stubEnv("TRACEMILL_VLLM", await originOfOwn());
      const { serve } = vllm as Extract<typeof vllm, { serve: unknown }>;
      const base = { name: "tiny", architecture: "llama" } as ModelServerOptions["base"];
      const attached = await serve({ ...OPTIONS, home, base, logFile: join(home.servers, "none.log") });
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
      const alone = new Map<string, Awaited<ReturnType<typeof answered>>>();
      const soloOf = (model: string, prompt: string) => alone.get(`${model} ${prompt}`) ?? [];
      for (const model of models)
        for (const prompt of PROMPTS) alone.set(`${model} ${prompt}`, await answered(model, prompt));
      const asked = Array.from({ length: 64 }, (_, i) => ({
        model: models[i % 3] ?? "",
        prompt: PROMPTS[i % 8] ?? "",
      }));
      const together = await Promise.all(asked.map(({ model, prompt }) => answered(model, prompt)));
      const mixedUp = asked.filter(({ model, prompt }, i) => !isSameAnswer(soloOf(model, prompt), together[i] ?? []));
      const equal = asked.filter(({ model, prompt }, i) => textOf(together[i] ?? []) === textOf(soloOf(model, prompt)));
      console.log(`vLLM: ${equal.length} of 64 interleaved answers of 12 tokens equal their solo answer in all`);
      expect(mixedUp).toEqual([]);
      // Else a mixed-up answer could not be told.
      for (const [one, other] of [
        ["tiny", "sound"],
        ["tiny", candidate()],
        ["sound", candidate()],
      ] as const) {
        const told = PROMPTS.filter((prompt) => !isSameAnswer(soloOf(one, prompt), soloOf(other, prompt)));
        expect(told.length).toBeGreaterThanOrEqual(4);
      }
    },
    START_MS,
  );

  it(
    "follows a promotion and a rollback under load: none fails, and each answer is wholly of one model",
    async () => {
      const [sound, other] = ["sound", "other"].map((name) => adapters.get(name)?.adapterHash as Hash);
      const place = { skill: "sql", role: null, comparisonHash: null, override: "a test" };
      const base = await readBaseManifest(home, "tiny");
      await server.unload(candidate()); // so that it has to be loaded beside answers
      appendLedger(home, { type: "promoted", data: { ...place, adapterHash: sound as Hash } }, systemClock);
      const kept = new Set([sound as Hash]);
      const asked = { base, target: "vllm", kept, refusesTaint: false, canary: true, failed: new Map() };
      const champions = await calledChampions(server, asked, context);
      const end = follow([champions.look], context);
      const seen = new Map<string, number>();
      let isOver = false;
      const failed: unknown[] = [];
      const ask = async (worker: number, i: number) => {
        const [model, prompt] = [i % 3 === 2 ? "tiny" : "sql", PROMPTS[(i + worker) % 8] ?? ""];
        const [first = "", ...others] = await modelsOfStream(server.url, { model, prompt });
        if (others.length > 0 || (model === "tiny" && first !== "tiny")) failed.push([model, first, ...others]);
        if (model === "sql") seen.set(first, (seen.get(first) ?? 0) + 1);
      };
      const streams = Array.from({ length: 6 }, async (_, worker) => {
        for (let i = 0; !isOver; i++) await ask(worker, i).catch((error) => failed.push(error));
      });
      const answering = async () => (await modelsOfStream(server.url, { model: "sql", prompt: "Who?" }))[0];
      expect(await answering()).toBe("sound");
      try {
        appendLedger(home, { type: "promoted", data: { ...place, adapterHash: other as Hash } }, systemClock);
        await expect.poll(answering, { timeout: 120_000 }).toBe(candidate());
        const back = { skill: "sql", role: null, from: other as Hash, to: sound as Hash, reason: null };
        appendLedger(home, { type: "rolled_back", data: back }, systemClock);
        await expect.poll(answering, { timeout: 120_000 }).toBe("sound");
      } finally {
        isOver = true;
        await Promise.all(streams);
      }
      console.log(`vLLM, under six streams: ${[...seen].map(([model, count]) => `${count} by ${model}`).join(", ")}`);
      expect(failed).toEqual([]);
      await expect.poll(() => server.models.map(({ id }) => id), { timeout: 60_000 }).toEqual(["tiny", "sound"]);
      await end();
      expect([...seen.keys()].sort()).toEqual(["sound", candidate()].sort());
    },
    START_MS,
  );

  it(
    "serves `tracemill run`, which proves the adapter first and records its hashes in every turn",
    async () => {
      vi.stubEnv("TRACEMILL_VLLM", await originOfOwn());
      const words = ["run", "--skill", "letters", "--split", "test", "--limit", "2", "--attempts", "1", "--json"];
      const ran = await tracemill(home, ...words, "--max-tokens", "4", "--model", "sound", "--target", "vllm");
      vi.unstubAllEnvs();
      expect(ran.stderr).not.toContain("starting vLLM");
      expect(ran.exitCode).toBe(0);
      const events = await eventsOf(home, (JSON.parse(ran.stdout) as { run: RunId }).run);
      const { adapterHash, baseHash } = adapters.get("sound") as AdapterManifest;
      expect(only(events, "turn")).toMatchObject([
        { baseHash, adapterHash },
        { baseHash, adapterHash },
      ]);
      expect(only(events, "run_started")[0]?.config.canary).toMatchObject({ sound: { state: "live" } });
    },
    START_MS,
  );

  it(
    "gives its memory back for a pause, and answers as before when it is resumed",
    async () => {
      const before = await answered("sound", "SELECT name");
      const group = server.pid() as number;
      await server.pause();
      expect(await commandsOfGroup(group)).toEqual([]);
      expect((await fetch(`${server.url}/models`)).status).toBe(503);
      await server.resume();
      expect(isSameAnswer(before, await answered("sound", "SELECT name"))).toBe(true);
    },
    START_MS,
  );

  it(
    "writes what it says into a log, and is started again at the same address after it was killed",
    async () => {
      const log = join(home.servers, `vllm-${process.pid}.log`);
      expect(await readFile(log, "utf8")).toContain("Application startup complete");
      const before = await answered("sound", "SELECT name");
      process.kill(-(server.pid() as number), "SIGKILL");
      await expect
        .poll(() => server.ended(), { timeout: 60_000 })
        .toMatch(/^vLLM was ended by SIGKILL\. Its last lines:/);
      await expect(answered("sound", "SELECT")).rejects.toThrow();
      const end = follow([restarting(server, context)], context);
      await expect.poll(() => server.ended(), { timeout: START_MS, interval: 500 }).toBeNull();
      await end();
      expect(isSameAnswer(before, await answered("sound", "SELECT name"))).toBe(true);
    },
    START_MS,
  );
});

describe.skipIf(MISSING !== null)("tracemill serve", () => {
  it(
    "that is told to end while vLLM is starting leaves no process behind",
    async () => {
      const serving = tracemill(home, "serve", "--base", "tiny", "--port", "0", "--target", "vllm");
      const groups = () => groupsBegunBy(serving.pid);
      await expect.poll(groups, { timeout: 60_000 }).toHaveLength(1);
      const [group = 0] = await groups();
      const engines = async () => (await commandsOfGroup(group)).filter((command) => command.includes("EngineCore"));
      await expect.poll(engines, { timeout: START_MS, interval: 200 }).not.toEqual([]);
      process.kill(serving.pid as number, "SIGTERM"); // execa's own would kill it after five seconds
      const { exitCode, stderr } = await serving;
      expect([exitCode, stderr]).toEqual([3, expect.stringMatching(/^INTERRUPTED: stopped by SIGTERM$/m)]);
      await expect.poll(() => commandsOfGroup(group), { timeout: 10_000 }).toEqual([]); // the killed may need a moment
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
        home,
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
