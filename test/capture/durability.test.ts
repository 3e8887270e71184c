/** When an answer is passed on: with `fsync` once the disk has its record, with `kernel` before that. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openRecorder, type Recorder } from "../../src/capture/recorder.ts";
import { type ServedRecorder, serveRecorder } from "../../src/capture/serve-recorder.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { plainSplits } from "../../src/skills/skill-splits.ts";
import type { Home } from "../../src/store/home.ts";
import { temporaryHome } from "../harness/setting.ts";
import { answered, asked } from "./recording.ts";
import { chunks, type StubUpstream, startStubUpstream } from "./stub-upstream.ts";

const DISK_MS = 300;

let home: Home;
let remove: () => void;
let upstream: StubUpstream;
let recorder: Recorder;
let server: ServedRecorder;
/** What happened, in its order. */
let order: string[];

beforeEach(async () => {
  ({ home, remove } = temporaryHome());
  order = [];
  const delta = (content: string, finish_reason: string | null) => ({
    choices: [{ index: 0, delta: { content }, finish_reason }],
  });
  const stream = { type: "text/event-stream", pieces: chunks(delta("a", null), delta("b", "stop")) };
  upstream = await startStubUpstream(({ body }) => (body.includes("stream") ? stream : { pieces: [answered("ab")] }));
});

afterEach(async () => {
  await server.close();
  await recorder.close();
  await upstream.close();
  remove();
});

/** Starts a proxy whose disk is slow: the run's log is flushed as ever, and it is told so some time later. */
async function startOnSlowDisk(durability: "kernel" | "fsync"): Promise<void> {
  const setting = {
    home,
    skill: "mine",
    splits: plainSplits("mine"),
    codeVersion: "t",
    config: {},
    clock: systemClock,
  };
  recorder = openRecorder({ ...setting, durability, verify: null });
  const place = { upstream: upstream.url, host: "127.0.0.1", port: 0, timeoutMs: 5000 };
  server = await serveRecorder(recorder, { ...place, onBug: (error) => order.push(String(error)) });
  const { log } = await recorder.open("r");
  const { flush } = log;
  log.flush = async () => {
    await flush();
    await sleep(DISK_MS);
    order.push("on disk");
  };
}

async function ask(more: object = {}): Promise<void> {
  const init = { method: "POST", body: JSON.stringify(asked("one", more)) };
  const response = await fetch(`${server.url}/r/r/v1/chat/completions`, init);
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    const text = decoder.decode(bytes);
    if (text.includes('"a"')) order.push("a part came");
    if (text.includes('"stop"')) order.push("answered");
  }
}

it("with fsync an answer, and what ends a stream, waits for its record to be on the disk", async () => {
  await startOnSlowDisk("fsync");
  await ask();
  expect(order).toEqual(["on disk", "answered"]);
  order.length = 0;
  await ask({ stream: true });
  expect(order).toEqual(["a part came", "on disk", "answered"]);
});

it("with kernel no answer waits for the disk", async () => {
  await startOnSlowDisk("kernel");
  await ask();
  await ask({ stream: true });
  await sleep(2 * DISK_MS);
  expect(order).toEqual(["answered", "a part came", "answered"]);
});
