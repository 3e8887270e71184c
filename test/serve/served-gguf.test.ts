import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { systemClock } from "../../src/foundation/clock.ts";
import { random } from "../../src/foundation/random.ts";
import { meanOf } from "../../src/foundation/sums.ts";
import type { AdapterManifest } from "../../src/records/adapter-manifest.ts";
import { addBase } from "../../src/serve/add-base.ts";
import { checkCanary } from "../../src/serve/canary.ts";
import type { Conversion } from "../../src/serve/convert.ts";
import type { ServeOptions } from "../../src/serve/running-server.ts";
import { startServer } from "../../src/serve/server.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { readBaseManifest } from "../../src/store/manifests.ts";
import { python } from "../../src/train/python.ts";
import { readProbes, registerAdapter, tinyAdapter } from "../fixtures/adapters.ts";
import { oddBase } from "../fixtures/odd-base.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";

let folder: string;
let home: Home;
let tiny: { hf: string; gguf: string };
const conversions: Conversion[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-served-gguf-"));
  home = homeAt(join(folder, "home"));
  tiny = await tinyBase();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function convert(conversion: Conversion): Promise<void> {
  conversions.push(conversion);
  await (await python()).run("gguf", conversion, { result: z.looseObject({}) });
}

const add = (name: string, files: { hf: string; gguf?: string }) =>
  addBase(home, { name, ...files, convert, clock: systemClock });

/** Starts a server of one base for as long as `use` needs it. */
async function serving<T>(options: Partial<ServeOptions> & { base: string }, use: (url: string) => Promise<T>) {
  const server = await startServer({ home, adapters: [], parallel: 1, threads: 1, convert, ...options });
  try {
    return await use(server.url);
  } finally {
    await server.close();
  }
}

const answerSchema = z.object({
  choices: z.tuple([z.object({ logprobs: z.object({ token_logprobs: z.array(z.number().nullable()) }) })]),
});

async function scores(url: string, model: string, ids: number[]): Promise<number[]> {
  const body = JSON.stringify({ model, prompt: ids, echo: true, logprobs: 0, max_tokens: 0 });
  const answer = await fetch(`${url}/completions`, { method: "POST", body });
  const [{ logprobs }] = answerSchema.parse(await answer.json()).choices;
  return logprobs.token_logprobs.slice(1) as number[];
}

function drawIds(count: number): number[] {
  const draw = random(1, "ids");
  return Array.from({ length: count }, () => draw.integer(3, 511));
}

const refusal = (code: string, details: Record<string, unknown> = {}) =>
  expect.objectContaining({ name: "Refusal", code, details: expect.objectContaining(details) });

describe("a base that was added without a GGUF", () => {
  test("is served by one of its own that gives the same log-probabilities, with the same base hash", async () => {
    const alone = await add("alone", { hf: tiny.hf });
    const given = await add("given", tiny);
    const ids = drawIds(64);
    const own = await serving({ base: "alone" }, (url) => scores(url, "alone", ids));
    expect(own).toEqual(await serving({ base: "given" }, (url) => scores(url, "given", ids)));
    const served = await readBaseManifest(home, "alone");
    expect(served.baseHash).toBe(given.baseHash);
    expect(served).toMatchObject({ baseHash: alone.baseHash, gguf: expect.stringMatching(/^converted-\w{12}\//) });
    expect(served.files.at(-1)).toMatchObject({ path: served.gguf, part: "weights", format: "gguf", dtype: "f16" });
  });

  test("is converted once, and stays converted when it is added again", async () => {
    const before = conversions.length;
    await serving({ base: "alone" }, async () => {});
    const again = await add("alone", { hf: tiny.hf });
    expect(again.gguf).not.toBeNull();
    await serving({ base: "alone", convert: () => Promise.reject(new Error("converted again")) }, async () => {});
    expect(conversions).toHaveLength(before);
  });

  test("has its GGUF made anew where that was removed and the base is added again", async () => {
    const { gguf } = await readBaseManifest(home, "alone");
    await rm(join(home.baseFolder("alone"), gguf ?? "", ".."), { recursive: true });
    await expect(serving({ base: "alone" }, async () => {})).rejects.toThrow(refusal("MISSING_FILE"));
    expect((await add("alone", { hf: tiny.hf })).gguf).toBeNull();
    await serving({ base: "alone", convert: ({ out }) => cp(tiny.gguf, out) }, async () => {});
    expect((await readBaseManifest(home, "alone")).gguf).toBe(gguf);
  });

  test("passes the canary with an adapter", async () => {
    const base = await readBaseManifest(home, "alone");
    const from = await tinyAdapter(1);
    const adapter: AdapterManifest = await registerAdapter(home, base, { name: "sound", from });
    const probes = await readProbes(from);
    const { difference, limits } = await serving({ base: "alone", adapters: ["sound"] }, (url) =>
      checkCanary({ url, model: "sound", baseModel: "alone", adapter, probes }),
    );
    expect(difference.adapter).toBeLessThan(limits.differenceAtMost);
  });

  test("gives the log-probabilities of transformers, whatever traits of a llama it has", async () => {
    const { hf, ids, logprobs } = await oddBase();
    expect((await readdir(hf)).filter((name) => name.endsWith(".safetensors")).length).toBeGreaterThan(1);
    await add("odd", { hf });
    const served = await serving({ base: "odd" }, (url) => scores(url, "odd", ids));
    const apart = served.map((score, i) => Math.abs(score - (logprobs[i] as number)));
    // Rounding to f16 gives 0.02 here; the slightest fault (one kind of bias left out) gives 0.2.
    expect(meanOf(apart)).toBeLessThan(0.06);
  });
});

describe("a base without a GGUF is refused by the embedded server", () => {
  /** A copy of the tiny base under a new name, with its config.json changed. */
  async function changedCopy(name: string, change: Record<string, unknown>): Promise<string> {
    const hf = join(folder, name);
    await cp(tiny.hf, hf, { recursive: true });
    const config = JSON.parse(await readFile(join(hf, "config.json"), "utf8"));
    await writeFile(join(hf, "config.json"), JSON.stringify({ ...config, ...change }));
    await add(name, { hf });
    return hf;
  }

  test("where its architecture cannot be converted, with the option that mends it", async () => {
    const hf = await changedCopy("qwen", { model_type: "qwen2" });
    await expect(serving({ base: "qwen" }, async () => {})).rejects.toThrow(
      refusal("UNSUPPORTED_ARCHITECTURE", {
        got: "qwen2",
        where: join(hf, "config.json"),
        fix: expect.stringContaining("--gguf FILE"),
      }),
    );
    expect((await readBaseManifest(home, "qwen")).gguf).toBeNull();
    expect((await readdir(home.baseFolder("qwen"))).sort()).toEqual(["hashes.json", "manifest.json"]);
  });

  test("where nothing can convert it", async () => {
    await changedCopy("unconverted", {});
    const { convert: _, ...options } = { home, base: "unconverted", adapters: [], threads: 1, convert };
    await expect(startServer(options)).rejects.toThrow(refusal("NO_GGUF"));
  });

  test("where its weights were changed after it was added", async () => {
    const hf = await changedCopy("changed", {});
    await chmod(join(hf, "model.safetensors"), 0o644);
    await writeFile(join(hf, "model.safetensors"), "others");
    for (const target of ["llamacpp", "vllm"]) {
      await expect(serving({ base: "changed", target }, async () => {})).rejects.toThrow(
        refusal("BASE_CHANGED", { where: join(hf, "model.safetensors") }),
      );
    }
  });
});
