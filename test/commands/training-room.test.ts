/** A server of the home makes room while something there trains: with real processes, also killed ones. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Context } from "../../src/commands/command.ts";
import { withTrainingRoom } from "../../src/commands/training-room.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { addBase } from "../../src/serve/add-base.ts";
import { freePort } from "../../src/serve/server-process.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { listServers } from "../../src/store/server-notes.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";
import { tracemill } from "../fixtures/tracemill.ts";

const PROGRAMS = join(import.meta.dirname, "../fixtures/programs");

let home: Home;
let context: Context;
let server: ReturnType<typeof tracemill>;
let url: string;

beforeAll(async () => {
  home = homeAt(await mkdtemp(join(tmpdir(), "tracemill-room-")));
  const { stdout, stderr } = process;
  context = { home, clock: systemClock, stdout, stderr, isJson: false, signal: new AbortController().signal };
  await addBase(home, { name: "tiny", ...(await tinyBase()), convert: async () => {}, clock: systemClock });
  server = tracemill(home, "serve", "--base", "tiny", "--port", "0", "--threads", "1", "--parallel", "1");
  const [told] = await once(server.stdout, "data");
  url = /http:\/\/[\d.:]+\/v1/.exec(String(told))?.[0] ?? "";
}, 120_000);

afterAll(async () => {
  server?.kill("SIGKILL");
  await rm(home.path, { recursive: true, force: true });
});

async function ask(): Promise<{ status: number; text: string }> {
  const body = { model: "tiny", messages: [{ role: "user", content: "How many?" }], temperature: 0, max_tokens: 8 };
  const response = await fetch(`${url}/chat/completions`, { method: "POST", body: JSON.stringify(body) });
  const answer = (await response.json()) as { choices?: { message: { content: string } }[]; error?: { code: string } };
  return { status: response.status, text: answer.choices?.[0]?.message.content ?? answer.error?.code ?? "" };
}

async function untilAwake(): Promise<{ status: number; text: string }> {
  for (;;) {
    const answer = await ask();
    if (answer.status !== 503) return answer;
    await sleep(50);
  }
}

const whole = { pausesServers: true, attached: null };

test("a server is paused for the work and answers as before when it is done, or has failed", async () => {
  const before = await ask();
  expect(before).toMatchObject({ status: 200 });
  for (const end of [async () => "done", () => Promise.reject(new Error("the training failed"))]) {
    const seen: unknown[] = [];
    const work = withTrainingRoom(whole, context, async () => {
      seen.push(
        await ask(),
        (await listServers(home)).map(({ state }) => state),
      );
      return end();
    });
    await work.catch((error: Error) => expect(error.message).toBe("the training failed"));
    expect(seen).toEqual([{ status: 503, text: "SERVER_PAUSED" }, ["paused"]]);
    expect(await untilAwake()).toEqual(before);
  }
}, 60_000);

test("a server serves again by itself where whoever trains is killed", async () => {
  const before = await ask();
  const holder = execa(process.execPath, [join(PROGRAMS, "holder.mjs"), home.path], { reject: false });
  await once(holder.stdout, "data");
  expect(await ask()).toEqual({ status: 503, text: "SERVER_PAUSED" });
  holder.kill("SIGKILL");
  await holder;
  expect(await untilAwake()).toEqual(before);
}, 60_000);

test("a server goes on where the training is to run beside it", async () => {
  const seen = await withTrainingRoom({ ...whole, pausesServers: false }, context, ask);
  expect(seen).toMatchObject({ status: 200 });
});

test("a server that is not ours is not stopped: the work is refused with its process and the choices", async () => {
  const port = await freePort();
  const other = execa(process.execPath, [join(PROGRAMS, "model-server.mjs"), `${port}`], { reject: false });
  const attached = `http://127.0.0.1:${port}`;
  while (!(await fetch(attached).catch(() => null))) await sleep(20);
  const refused = withTrainingRoom({ ...whole, attached }, context, async () => "trained");
  await expect(refused).rejects.toMatchObject({
    code: "SERVER_NOT_OURS",
    details: {
      got: expect.stringMatching(new RegExp(`^process ${other.pid}: .*model-server.mjs ${port}$`)),
      fix: expect.stringContaining("--no-pause-servers"),
    },
  });
  expect((await fetch(attached)).status).toBe(200);
  other.kill("SIGKILL");
  await other;
  expect(await withTrainingRoom({ ...whole, attached }, context, async () => "trained")).toBe("trained");
}, 60_000);

test("a server that has ended is listed no more, however it ended", async () => {
  await untilAwake();
  expect(await listServers(home)).toMatchObject([{ pid: server.pid, url, base: "tiny", state: "serving" }]);
  server.kill("SIGKILL");
  await server;
  expect(await listServers(home)).toEqual([]);
});
