/** `tracemill run --endpoint`: which model is asked there, what is proven of it first, and what each turn says of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { shortHash } from "../../src/foundation/hashing.ts";
import type { AdapterManifest } from "../../src/records/adapter-manifest.ts";
import type { BaseManifest } from "../../src/records/base-manifest.ts";
import type { RunId } from "../../src/records/ids.ts";
import { addBase } from "../../src/serve/add-base.ts";
import { startServer } from "../../src/serve/server.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { registerAdapter, tinyAdapter } from "../fixtures/adapters.ts";
import { startScriptedModel } from "../fixtures/scripted-model.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { coin, eventsOf, only } from "../harness/setting.ts";

let folder: string;
let home: Home;
let base: BaseManifest;
let sound: AdapterManifest;
let server: Awaited<ReturnType<typeof startServer>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-run-endpoint-"));
  home = homeAt(folder);
  base = await addBase(home, { name: "tiny", ...(await tinyBase()), convert: async () => {}, clock: systemClock });
  sound = await registerAdapter(home, base, { name: "sound", from: await tinyAdapter(1) });
  await registerAdapter(home, base, { name: "zero", from: await tinyAdapter(1, "zero") });
  server = await startServer({ home, base: "tiny", adapters: ["sound", "zero"], threads: 1, parallel: 2 });
}, 120_000);

afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

const LETTERS = ["run", "--skill", "letters", "--split", "test", "--limit", "2", "--attempts", "1", "--json"];

async function run(model: string, ...words: string[]) {
  const done = await tracemill(home, ...LETTERS, "--model", model, "--max-tokens", "4", ...words);
  if (done.exitCode !== 0) return { ...done, turns: [], started: undefined };
  const events = await eventsOf(home, (JSON.parse(done.stdout) as { run: RunId }).run);
  return { ...done, turns: only(events, "turn"), started: only(events, "run_started")[0] };
}

/** vLLM as it lists a candidate, without prompt scores. */
function candidatesServer(adapter: object) {
  const cards = [
    { id: "served", root: join(folder, "elsewhere"), parent: null, owned_by: "other" },
    { parent: "served", owned_by: "other", ...adapter },
  ];
  return startScriptedModel({ replies: coin, cards: () => cards });
}

describe("an adapter behind an endpoint", () => {
  test("is proven to be live first, and every turn has its hash and its base's", async () => {
    const { turns, started, exitCode } = await run("sound", "--endpoint", server.url);
    expect(exitCode).toBe(0);
    expect(turns).toHaveLength(2);
    for (const turn of turns) {
      expect(turn).toMatchObject({ baseHash: base.baseHash, adapterHash: sound.adapterHash, modelAnswered: "sound" });
    }
    expect(started?.config.canary).toMatchObject({ sound: { state: "live", effect: expect.any(Number) } });
    expect(started?.models.worker).toMatchObject({ served: { id: "sound", adapter_hash: sound.adapterHash } });
  });

  test("is refused before the run where it is not live, unless the proof is left out", async () => {
    const refused = await run("zero", "--endpoint", server.url);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("ADAPTER_NOT_LIVE");
    const { started, exitCode } = await run("zero", "--endpoint", server.url, "--no-canary");
    expect(exitCode).toBe(0);
    expect(started?.config.canary).toEqual({});
  });

  test("is found under a name that holds its hash, and unproven where the server scores no prompts", async () => {
    const id = `candidate-${shortHash(sound.adapterHash)}`;
    const other = await candidatesServer({ id, root: "/adapters/sound" });
    const { turns, started, stderr } = await run("sound", "--endpoint", other.url);
    await other.close();
    expect(turns.map(({ request, adapterHash }) => [request.model, adapterHash])).toEqual([
      [id, sound.adapterHash],
      [id, sound.adapterHash],
    ]);
    expect(started?.config.canary).toMatchObject({ sound: { state: "unproven" } });
    expect(stderr).toContain("it is not proven that sound is live there");
  });

  test("is refused where it is not served, as nothing is loaded there", async () => {
    const other = await candidatesServer({ id: "another" });
    const { stderr, exitCode } = await run("sound", "--endpoint", other.url);
    await other.close();
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/ADAPTER_NOT_SERVED.*served, another/s);
  });

  test("is refused where its name means another adapter there", async () => {
    const other = await candidatesServer({ id: "sound", base_hash: base.baseHash, adapter_hash: "f".repeat(64) });
    const { stderr, exitCode } = await run("sound", "--endpoint", other.url);
    await other.close();
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/SERVED_MODEL_DIFFERS.*adapter ffffffffffff/s);
  });
});

test("an adapter that is served for the run alone is proven to be live too, and refused where it is not", async () => {
  const { started, turns } = await run("sound");
  expect(started?.config).toMatchObject({ target: "llamacpp", canary: { sound: { state: "live" } } });
  expect(turns[0]).toMatchObject({ adapterHash: sound.adapterHash, modelAnswered: "sound" });
  expect((await run("zero")).stderr).toContain("ADAPTER_NOT_LIVE");
}, 60_000);

test("the target openai starts nothing and serves no adapter", async () => {
  const { stderr, exitCode } = await run("sound", "--target", "openai");
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/NOTHING_TO_START.*--target openai with sound/s);
});
