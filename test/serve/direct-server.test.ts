/** A server that answers by itself behind our front, here a small one: how it is started again after it has died. */
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { restarting } from "../../src/commands/serve-restarts.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import type { BaseManifest } from "../../src/records/base-manifest.ts";
import { startDirectServer } from "../../src/serve/direct-server.ts";
import type { RunningServer } from "../../src/serve/running-server.ts";
import { freePort, startServerProcess } from "../../src/serve/server-process.ts";
import type { ModelServerOptions, ServerKind } from "../../src/serve/target.ts";
import type { Home } from "../../src/store/home.ts";
import { registerAdapter, tinyAdapter } from "../fixtures/adapters.ts";
import { watchedContext } from "../fixtures/watched-context.ts";
import { temporaryHome } from "../harness/setting.ts";

const SERVER = join(import.meta.dirname, "../fixtures/programs/model-server.mjs");
const base = {
  ...{ name: "tiny", hfFolder: "hf", baseHash: hashText("tiny") },
  ...{ tokenizerHash: hashText("tokenizer"), templateHash: hashText("template") },
} as BaseManifest;

let home: Home;
let remove: () => void;
let server: RunningServer;
/** How the next one that is started behaves. */
let manner: string;
/** The rank for which each that was started made room. */
let ranks: number[];

beforeEach(async () => {
  ({ home, remove } = temporaryHome());
  manner = "sound";
  ranks = [];
  const options = { home, base: "tiny", adapters: [], host: "127.0.0.1", port: 0, parallel: 1, contextTokens: 64 };
  server = await startDirectServer(kind, options, { base, adapters: [], candidates: [] });
});

afterEach(async () => {
  await server.close();
  remove();
});

const kind: ServerKind = { tolerance: { base: 1, noiseFactor: 1, effectFraction: 1 }, serve };

async function serve({ logFile, rooms }: ModelServerOptions) {
  ranks.push(rooms.rank);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const command = { title: "the server", executable: process.execPath, args: [SERVER, `${port}`, manner], logFile };
  const own = await startServerProcess({ ...command, healthUrl: `${origin}/health` });
  const nothing = async () => {};
  return {
    ...{ origin, pid: own.pid, ended: own.ended, takesSeed: true, scoresAlone: false },
    load: nothing,
    unload: nothing,
    missing: async () => [],
    close: own.stop,
  };
}

async function ask(): Promise<number> {
  const response = await fetch(`${server.url}/completions`, { method: "POST", body: '{"model":"tiny"}' });
  await response.text();
  return response.status;
}

async function kill(): Promise<void> {
  process.kill(-(server.pid() as number), "SIGKILL");
  await expect.poll(() => server.ended(), { timeout: 20_000 }).toBe("was ended by SIGKILL");
}

test("one that was killed is told as ended, and is there again at the same address once it is resumed", async () => {
  expect([await ask(), server.ended()]).toEqual([200, null]);
  const before = server.pid();
  await kill();
  expect(await ask()).toBe(503);
  await server.resume();
  expect([await ask(), server.ended()]).toEqual([200, null]);
  expect(server.pid()).not.toBe(before);
}, 60_000);

test("one that is paused has not ended, and a dead one can be paused and resumed", async () => {
  await server.pause();
  expect(server.ended()).toBeNull();
  await server.resume();
  await kill();
  await server.pause();
  expect([await ask(), server.ended()]).toEqual([503, null]);
  await server.resume();
  expect(await ask()).toBe(200);
}, 60_000);

test("room is made at each start for the highest rank that the base's adapters have then", async () => {
  await registerAdapter(home, base, { name: "later", from: await tinyAdapter(1) });
  await server.pause();
  await server.resume();
  expect(ranks).toEqual([1, 8]);
}, 60_000);

test("a look at it starts it again, and where that fails tries once more after a wait that grows", async () => {
  const { time, told, context } = watchedContext(home);
  const look = restarting(server, context);
  await look();
  expect(told).toEqual([]);
  await kill();
  manner = "dies";
  await expect(look()).rejects.toMatchObject({ code: "SERVER_DIED" });
  await look(); // too soon
  time.nowMs += 1000;
  await expect(look()).rejects.toMatchObject({ code: "SERVER_DIED" });
  time.nowMs += 1000;
  await look(); // too soon: the wait has doubled
  expect(server.ended()).toBe("was ended by SIGKILL");
  manner = "sound";
  time.nowMs += 1000;
  await look();
  expect(await ask()).toBe(200);
  expect(told).toEqual(["was ended by SIGKILL\nIt is started again.\n", "Serving again.\n"]);
}, 60_000);
