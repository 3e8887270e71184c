/**
 * `tracemill serve` and `tracemill canary` as a user types them, and that `tracemill validate` asks the canary first, on a
 * base that was added as a folder alone. One server process answers all that only asks.
 */
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CanaryReport } from "../../src/serve/index.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { readBaseManifest } from "../../src/store/manifests.ts";
import { holdPause, listServers } from "../../src/store/server-notes.ts";
import { registerAdapter, tinyAdapter } from "../fixtures/adapters.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { writeDataset } from "../train/sample-training.ts";

let folder: string;
let home: Home;
let server: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-serving-"));
  home = homeAt(folder);
  await tracemill(home, "base", "add", "tiny", "--hf", (await tinyBase()).hf);
  const base = await readBaseManifest(home, "tiny");
  const { datasetHash } = await writeDataset(home, base);
  await registerAdapter(home, base, { name: "sound", from: await tinyAdapter(1), datasetHash });
  await registerAdapter(home, base, { name: "zero", from: await tinyAdapter(1, "zero"), datasetHash });
  server = await serve("--adapter", "sound", "--adapter", "zero", "--no-canary");
}, 240_000);

afterAll(async () => {
  server?.process.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

/** Starts a server and waits for what it prints when it answers. */
async function serve(...words: string[]) {
  const process = tracemill(home, "serve", "--base", "tiny", "--port", "0", "--threads", "1", ...words);
  const noise: string[] = [];
  process.stderr.on("data", (data) => noise.push(String(data)));
  const told = await new Promise<string>((resolve, reject) => {
    process.stdout.once("data", (data) => resolve(String(data)));
    process.then(({ stderr }) => reject(new Error(`the server ended: ${stderr}`)), reject);
  });
  const url = /http:\/\/[\d.:]+\/v1/.exec(told)?.[0] ?? "";
  return { process, told, url, noise };
}

describe("tracemill serve", () => {
  test("first makes the GGUF that the base has not, and tells of it", async () => {
    expect(server.noise.join("")).toMatch(/^converting: .*\n[\s\S]*converting: writing the f16 GGUF, \d+ %\n/);
    expect((await readBaseManifest(home, "tiny")).gguf).toMatch(/^converted-/);
  });

  test("says what it serves and where", () => {
    expect(server.told).toMatch(
      /^Serving tiny, sound, zero at http:\/\/127\.0\.0\.1:\d+\/v1 \(1 thread, 2048 tokens of context\)\. Ctrl-C ends it\.\n$/,
    );
  });

  test("answers OpenAI's client, as the base and as an adapter", async () => {
    const client = new OpenAI({ baseURL: server.url, apiKey: "none", maxRetries: 0 });
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["tiny", "sound", "zero"]);
    const messages = [{ role: "user" as const, content: "How many rows?" }];
    const ask = async (model: string) => {
      const answer = await client.chat.completions.create({ model, messages, temperature: 0, max_tokens: 12 });
      return answer.choices[0]?.message.content;
    };
    const [ofBase, ofSound, ofZero] = await Promise.all(["tiny", "sound", "zero"].map(ask));
    expect(ofSound).not.toBe(ofBase);
    expect(ofZero).toBe(ofBase);
  });

  test("refuses a port that is taken", async () => {
    const { port } = new URL(server.url);
    const { exitCode, stderr, stdout } = await tracemill(home, "serve", "--base", "tiny", "--port", port);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^PORT_IN_USE: .*\n[\s\S]*fix: {6}--port 0 takes any free port$/);
  });

  test("refuses an adapter that is not known, with the nearest", async () => {
    const { exitCode, stderr } = await tracemill(home, "serve", "--base", "tiny", "--adapter", "sond");
    expect(exitCode).toBe(2);
    expect(stderr).toContain('did you mean "sound"');
  });

  test("proves its adapters at the start and again after a pause, and says that they answer no sooner", async () => {
    const { process, url, noise } = await serve("--adapter", "sound");
    const pending = `tiny answers at ${url}; sound once the canary has proven it.\n`;
    expect(noise.join("")).toBe(pending);
    const { pid = 0 } = (await listServers(home)).find((note) => note.url === url) ?? {};
    const release = holdPause(home, pid);
    const said = () => expect.poll(() => noise.join(""), { timeout: 30_000 });
    await said().toContain("Paused: ");
    release();
    await said().toContain(`Serving again.\n${pending}sound answers again.\n`);
    process.kill("SIGTERM");
    expect((await process).exitCode).toBe(0);
  }, 60_000);

  test("ends with exit code 0 and frees its port at SIGTERM", async () => {
    const { process, url } = await serve();
    process.kill("SIGTERM");
    const { exitCode, stdout } = await process;
    expect(exitCode).toBe(0);
    expect(stdout.split("\n")[1]).toBe("Stopped.");
    await expect(fetch(`${url}/models`)).rejects.toThrow();
  });

  test("does so at SIGINT too, and with --json has printed one value and no more", async () => {
    const { process, url } = await serve("--adapter", "sound", "--json");
    process.kill("SIGINT");
    const { exitCode, stdout } = await process;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ url, models: [{ id: "tiny" }, { id: "sound", parent: "tiny" }] });
  });

  test("at a second signal ends at once, though answers are not finished", async () => {
    const { process, url } = await serve();
    const body = JSON.stringify({ model: "tiny", prompt: "a", n: 16, max_tokens: 1900, temperature: 1 });
    const cut = fetch(`${url}/completions`, { method: "POST", body }).then((answer) => answer.text());
    const ended = expect(cut).rejects.toThrow();
    const health = async () => (await fetch(`${url.replace("/v1", "/healthz")}`)).text();
    await expect.poll(health, { interval: 5 }).toContain('"active":16');
    process.kill("SIGTERM");
    await new Promise((resolve) => process.stderr.once("data", resolve));
    process.kill("SIGTERM");
    expect((await process).exitCode).toBe(143);
    await ended;
  });
});

describe("tracemill canary", () => {
  test("tells an adapter that is live at an endpoint", async () => {
    const { exitCode, stdout } = await tracemill(home, "canary", "sound", "--url", server.url);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^sound is live: over \d+ tokens it changes log-probabilities by \d\.\d{4} /);
  });

  test("starts an endpoint of its own where none is named", async () => {
    const { exitCode, stdout } = await tracemill(home, "canary", "sound", "--json");
    expect(exitCode).toBe(0);
    const { model, effect, difference, limits } = JSON.parse(stdout) as CanaryReport;
    expect(model).toBe("sound");
    expect(effect.endpoint).toBeGreaterThan(limits.effectAtLeast);
    expect(difference.adapter).toBeLessThan(limits.differenceAtMost);
  });

  test("starts one for prompts as long as it is told, which the adapter's probes are not", async () => {
    const { exitCode, stderr } = await tracemill(home, "canary", "sound", "--context-tokens", "16");
    expect(exitCode).toBe(3);
    expect(stderr).toContain("The prompt is longer than the context. (expected fewer than 16 tokens");
  });

  test("refuses an adapter whose weights are zero", async () => {
    const { exitCode, stderr, stdout } = await tracemill(home, "canary", "zero", "--url", server.url);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^ADAPTER_NOT_LIVE: The adapter zero changes too little at this endpoint /);
  });

  test("refuses the base under the adapter's name, where the endpoint says itself which it is", async () => {
    const { exitCode, stderr } = await tracemill(home, "canary", "sound", "--url", server.url, "--model", "tiny");
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^SERVED_MODEL_DIFFERS: The endpoint's tiny is not the one /);
  });

  test("is a failure, no verdict, where nothing listens", async () => {
    const { exitCode, stderr } = await tracemill(home, "canary", "sound", "--url", "http://127.0.0.1:9/v1");
    expect(exitCode).toBe(3);
    expect(stderr).toContain("ENDPOINT_UNREACHABLE");
  });
});

describe("tracemill validate", () => {
  test("refuses an adapter that is served and not live, before it plans or runs anything", async () => {
    const words = ["--skill", "letters", "--base", "tiny", "--candidate", "zero"];
    const { exitCode, stderr, stdout } = await tracemill(home, "validate", ...words);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("ADAPTER_NOT_LIVE: The adapter zero changes too little at this endpoint ");
    for (const folder of ["comparisons", "runs"]) {
      await expect(access(join(home.path, folder))).rejects.toThrow("ENOENT");
    }
  });
});
