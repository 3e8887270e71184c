/** The responses API through the proxy: an answer that a later call goes on from, and what an answer's message holds. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LoggedEvent } from "../../src/records/events.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { listRuns } from "../../src/store/run-log.ts";
import { eventsOf, only, temporaryHome } from "../harness/setting.ts";
import { type Recording, startRecordingAt } from "./recording.ts";

let home: Home;
let remove: () => void;
let recording: Recording;

beforeEach(() => {
  ({ home, remove } = temporaryHome());
});

afterEach(async () => {
  await recording.close();
  remove();
  expect(recording.bugs).toEqual([]);
});

const text = (value: string) => ({ type: "output_text", text: value, annotations: [] });
const spoken = (...content: object[]) => ({ type: "message", id: "m-1", role: "assistant", content });

/** Answers each call with the output that stands next in a list, under the ids `resp-1`, `resp-2` and so on. */
async function start(...outputs: object[][]): Promise<void> {
  let count = 0;
  recording = await startRecordingAt(home, () => {
    const output = outputs[count++] ?? [spoken(text("ok"))];
    const told = { id: `resp-${count}`, object: "response", status: "completed", model: "m-1", output };
    return { pieces: [JSON.stringify(told)] };
  });
}

const ask = (place: string, more: object = {}) =>
  recording.post(`${place}/v1/responses`, { model: "m", input: "go", ...more });

async function recorded(): Promise<LoggedEvent[]> {
  const runs = await listRuns(home);
  return (await Promise.all(runs.map(({ run }) => eventsOf(home, run)))).flat();
}

function messagesIn(events: LoggedEvent[], hashes: readonly (string | null)[] = []): unknown[] {
  const byHash = new Map(only(events, "message").map(({ hash, message }) => [hash as string, message]));
  return hashes.map((hash) => byHash.get(hash ?? ""));
}

describe("a call that goes on from an answer", () => {
  it("of a run that is sealed is an attempt of its own run, and hears what was said before", async () => {
    await start();
    await ask("/r/mine");
    await recording.post("/r/mine/finish");
    await ask("/r/mine", { input: "and now?", previous_response_id: "resp-1" });
    expect(await (await recording.post("/r/mine/finish")).json()).toMatchObject({ items: 1, attempts: 1 });
    const events = await recorded();
    const runs = new Set((await listRuns(home)).map(({ run }) => run as string));
    expect(new Set(only(events, "turn").map(({ attempt }) => attempt.slice(0, 20)))).toEqual(runs);
    const later = only(events, "turn").find(({ messages }) => messages.length === 3);
    expect(messagesIn(events, later?.messages)).toMatchObject([{ content: "go" }, { content: "ok" }, { role: "user" }]);
    const lake = await openLake(home);
    const [row] = await lake.query("SELECT count(*) AS turns, count(DISTINCT turn) AS ids FROM turns");
    lake.close();
    expect(row).toEqual({ turns: 2, ids: 2 });
  });

  it("at another item is of the item that the call names", async () => {
    await start();
    await ask("/r/mine/i/a");
    await ask("/r/mine/i/b", { previous_response_id: "resp-1" });
    await ask("/r/mine/i/a", { previous_response_id: "resp-1" });
    const places = only(await recorded(), "turn").map(({ turn }) => turn.slice(26));
    expect(places).toEqual(["a/1#1", "b/1#1", "a/1#2"]);
  });
});
