import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { expect, it } from "vitest";
import { freePort, startServerProcess } from "../../src/serve/server-process.ts";
import { processesNaming } from "../fixtures/processes.ts";

const PROGRAMS = join(import.meta.dirname, "../fixtures/programs");
const SERVER = join(PROGRAMS, "model-server.mjs");

async function start(manner = "sound") {
  const port = await freePort();
  const healthUrl = `http://127.0.0.1:${port}/health`;
  const args = [SERVER, `${port}`, manner];
  const server = await startServerProcess({ title: "the server", executable: process.execPath, args, healthUrl });
  return { ...server, healthUrl };
}

async function untilSilent(url: string): Promise<void> {
  while (await fetch(url).catch(() => null)) await sleep(20);
}

it("is started, answers, and is gone when it is stopped, also where it ignores the signal to end", async () => {
  for (const manner of ["sound", "stubborn"]) {
    const server = await start(manner);
    expect((await fetch(server.healthUrl)).status).toBe(200);
    expect(server.ended()).toBeNull();
    await server.stop();
    expect(server.ended()).not.toBeNull();
    await expect(fetch(server.healthUrl)).rejects.toThrow();
  }
}, 60_000);

it("that takes long to load is told of with what it said last, without its colours, until it answers", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tracemill-slow-server-"));
  const port = await freePort();
  const told: string[] = [];
  const server = await startServerProcess({
    ...{ title: "the server", executable: process.execPath, healthUrl: `http://127.0.0.1:${port}/health`, tellMs: 20 },
    args: [SERVER, `${port}`, "slow", join(folder, "loaded")],
    onStage(stage) {
      told.push(stage);
      if (stage.endsWith("shards: 2 of 2")) void writeFile(join(folder, "loaded"), "");
    },
  });
  expect(told[0]).toMatch(/^the server loads since \d+ m?s: /);
  expect(told.at(-1)).toMatch(/: shards: 2 of 2$/);
  await server.stop();
  await rm(folder, { recursive: true });
}, 60_000);

it("that is told to end while it loads leaves nothing of its group behind", async () => {
  const port = await freePort();
  const ending = new AbortController();
  const started = startServerProcess({
    ...{ title: "the server", executable: process.execPath, healthUrl: `http://127.0.0.1:${port}/health`, tellMs: 20 },
    ...{ args: [SERVER, `${port}`, "slow", "/never"], signal: ending.signal },
    onStage: (stage) => stage.endsWith("shards: 2 of 2") && ending.abort(new Error("enough")),
  });
  await expect(started).rejects.toThrow("enough");
  expect(await processesNaming(`${port} slow /never`)).toEqual([]);
}, 60_000);

it("that dies while it loads is told with its exit code and its last lines", async () => {
  await expect(start("dies")).rejects.toMatchObject({
    name: "Failure",
    code: "SERVER_DIED",
    message: expect.stringMatching(/ended with exit code 3 .*\nloading the model\nerror: out of memory$/s),
  });
});

it("that cannot be started at all is told the same way", async () => {
  const command = { title: "the server", executable: "/no/such/server", args: [], healthUrl: "http://127.0.0.1:1/" };
  await expect(startServerProcess(command)).rejects.toMatchObject({
    code: "SERVER_DIED",
    message: expect.stringContaining("/no/such/server"),
  });
});

it("ends with its owner, also where that is killed and the server ignores the signal to end", async () => {
  const port = await freePort();
  const owner = execa(
    process.execPath,
    [join(PROGRAMS, "owner.mjs"), process.execPath, SERVER, `${port}`, "stubborn"],
    {
      reject: false,
    },
  );
  await once(owner.stdout, "data");
  const url = `http://127.0.0.1:${port}/health`;
  expect((await fetch(url)).status).toBe(200);
  owner.kill("SIGKILL");
  await owner;
  await untilSilent(url);
  await expect(fetch(url)).rejects.toThrow();
}, 60_000);
