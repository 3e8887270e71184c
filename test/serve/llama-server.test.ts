/** llama.cpp's own server as a target. What needs the real one is skipped, with the reason, where it is not there. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import type { AdapterManifest } from "../../src/records/adapter-manifest.ts";
import { addBase } from "../../src/serve/add-base.ts";
import { checkCanary } from "../../src/serve/canary.ts";
import type { RunningServer } from "../../src/serve/running-server.ts";
import { startServer } from "../../src/serve/server.ts";
import { freePort, startServerProcess } from "../../src/serve/server-process.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { readProbes, registerSpoiledAdapters, tinyAdapter } from "../fixtures/adapters.ts";
import { llamaServer } from "../fixtures/llama-server.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";

const EXECUTABLE = await llamaServer();
const NAMES = ["tiny", "sound", "other"];

let home: Home;
let adapters = new Map<string, AdapterManifest>();

beforeAll(async () => {
  home = homeAt(await mkdtemp(join(tmpdir(), "tracemill-llama-server-")));
  const made = await tinyBase();
  const base = await addBase(home, { name: "tiny", ...made, convert: async () => {}, clock: systemClock });
  adapters = await registerSpoiledAdapters(home, base, made);
}, 120_000);

afterAll(() => rm(home.path, { recursive: true, force: true }));

afterEach(() => vi.unstubAllEnvs());

const options = (names: string[]) => ({
  ...{ home, base: "tiny", adapters: names, target: "llama-server" },
  ...{ parallel: 4, threads: 1, contextTokens: 256 },
});

async function complete({ url }: RunningServer, model: string, prompt: string): Promise<string> {
  const body = { model, prompt, temperature: 0, max_tokens: 8, logprobs: 0 };
  const response = await fetch(`${url}/completions`, { method: "POST", body: JSON.stringify(body) });
  const answer = (await response.json()) as { choices?: { text: string }[]; error?: { message: string } };
  return answer.choices?.[0]?.text ?? `error: ${answer.error?.message}`;
}

describe.skipIf(EXECUTABLE === null)("llama.cpp's server, started here", () => {
  let server: RunningServer;

  beforeAll(async () => {
    vi.stubEnv("TRACEMILL_LLAMA_SERVER", EXECUTABLE ?? undefined);
    server = await startServer(options([...adapters.keys()]));
  }, 120_000);

  afterAll(() => server?.close());

  async function canary(name: string) {
    const adapter = adapters.get(name) as AdapterManifest;
    const probes = await readProbes(await tinyAdapter(name === "other" ? 2 : 1));
    const ask = { url: server.url, model: name, baseModel: "tiny", adapter, probes };
    return checkCanary({ ...ask, target: "llama-server" });
  }

  it.each(["sound", "other"])("shows that %s is live, well inside the limits", async (name) => {
    const { effect, difference, limits } = await canary(name);
    expect(effect.endpoint).toBeCloseTo(effect.trainer, 2);
    expect(difference.adapter).toBeLessThan(limits.differenceAtMost / 3);
  });

  it("shows that an adapter of zeros and one with its rows out of order are not", async () => {
    await expect(canary("zero")).rejects.toMatchObject({ code: "ADAPTER_NOT_LIVE" });
    await expect(canary("unpermuted")).rejects.toMatchObject({ code: "ADAPTER_NOT_LIVE" });
  });

  it("answers 64 interleaved requests as it answers each alone", async () => {
    const asked = Array.from({ length: 64 }, (_, i) => [NAMES[i % 3] as string, `question ${i % 16} of 16`] as const);
    const alone: string[] = [];
    for (const [model, prompt] of asked) alone.push(await complete(server, model, prompt));
    const together = await Promise.all(asked.map(([model, prompt]) => complete(server, model, prompt)));
    expect(together).toEqual(alone);
    expect(new Set(NAMES.map((_, i) => alone[i])).size).toBe(3);
  }, 60_000);

  it("is used where it runs already and left running, and takes no adapter that it was not started with", async () => {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const { gguf } = await tinyBase();
    const lora = join(home.adapterFolder(adapters.get("sound")?.adapterHash ?? ""), "adapter.gguf");
    const args = [
      "--model",
      gguf,
      "--port",
      `${port}`,
      "--ctx-size",
      "512",
      "--lora",
      lora,
      "--lora-init-without-apply",
    ];
    const executable = EXECUTABLE ?? "";
    const healthUrl = `${origin}/health`;
    const own = await startServerProcess({ title: "the user's server", executable, args, healthUrl });
    vi.stubEnv("TRACEMILL_LLAMA_SERVER", origin);
    const attached = await startServer(options(["sound"]));
    expect(await complete(attached, "sound", "some words")).toBe(await complete(server, "sound", "some words"));
    await attached.close();
    expect((await fetch(healthUrl)).status).toBe(200);
    await expect(startServer(options(["other"]))).rejects.toMatchObject({ code: "ADAPTER_NOT_LOADED" });
    await own.stop();
  }, 60_000);

  it("keeps nothing of an adapter for the base that is asked the same", async () => {
    const before = await complete(server, "tiny", "the same words for both of them");
    for (let i = 0; i < 8; i++) await complete(server, "sound", "the same words for both of them");
    expect(await complete(server, "tiny", "the same words for both of them")).toBe(before);
  });
});

describe("where the server cannot be had", () => {
  it("names what is missing and what needs nothing else", async () => {
    vi.stubEnv("TRACEMILL_LLAMA_SERVER", join(home.path, "no-such-server"));
    await expect(startServer(options([]))).rejects.toMatchObject({
      code: "NO_LLAMA_SERVER",
      details: { got: join(home.path, "no-such-server"), fix: expect.stringContaining("llamacpp") },
    });
  });

  async function isHere(script: string): Promise<void> {
    const program = join(home.path, "scripted-server");
    await writeFile(program, `#!/bin/sh\n${script}\n`);
    await chmod(program, 0o755);
    vi.stubEnv("TRACEMILL_LLAMA_SERVER", program);
  }

  it("waits no longer than it is told to for one that does not answer", async () => {
    await isHere("echo loading >&2; sleep 60");
    await expect(startServer({ ...options([]), startTimeoutMs: 500 })).rejects.toMatchObject({
      code: "SERVER_DIED",
      message: expect.stringMatching(/not healthy after 0.5 s .*\nloading$/s),
    });
  });

  it("tells the last lines of one that dies while it loads", async () => {
    await isHere("echo 'error: failed to load the model' >&2; exit 1");
    await expect(startServer(options([]))).rejects.toMatchObject({
      code: "SERVER_DIED",
      message: expect.stringMatching(/exit code 1 .*\nerror: failed to load the model$/s),
    });
  });

  it("refuses a URL where nothing listens", async () => {
    vi.stubEnv("TRACEMILL_LLAMA_SERVER", "http://127.0.0.1:1");
    await expect(startServer(options([]))).rejects.toMatchObject({ code: "ENDPOINT_DOWN" });
  });
});
