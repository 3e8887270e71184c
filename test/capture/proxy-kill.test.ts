/** The recording proxy as a process of its own, killed under load: what was answered is recorded, and the rest is not lost track of. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import { random } from "../../src/foundation/random.ts";
import type { Home } from "../../src/store/home.ts";
import { listRuns } from "../../src/store/runs.ts";
import { verifyHome } from "../../src/store/verify.ts";
import { eventsOf, only, temporaryHome } from "../harness/setting.ts";
import { chunks, type StubUpstream, startStubUpstream } from "./stub-upstream.ts";

const KILLS = process.env.TRACEMILL_LONG ? 60 : 4;
if (KILLS < 60)
  console.log(`skipped: 60 kills under load take minutes (TRACEMILL_LONG=1 makes them); these are ${KILLS}`);
const CLIENTS = 16;

let home: Home;
let remove: () => void;
let upstream: StubUpstream;

beforeEach(async () => {
  ({ home, remove } = temporaryHome());
  upstream = await startStubUpstream(({ body }) => {
    const { stream, messages } = JSON.parse(body);
    const content = `answer to ${messages[0].content}`;
    if (!stream)
      return { pieces: [JSON.stringify({ choices: [{ index: 0, message: { content }, finish_reason: "stop" }] })] };
    const delta = (value: object, finish_reason: string | null) => ({
      choices: [{ index: 0, delta: value, finish_reason }],
    });
    const [first, second] = [content.slice(0, 5), content.slice(5)];
    const pieces = chunks(delta({ content: first }, null), delta({ content: second }, null), delta({}, "stop"));
    return { type: "text/event-stream", pieces };
  });
});

afterEach(async () => {
  await upstream.close();
  remove();
});

async function startProxy(durability: string): Promise<{ process: ChildProcess; url: string }> {
  const words = ["record", "--upstream", upstream.url, "--skill", "mine", "--port", "0", "--durability", durability];
  const args = [join(PACKAGE_FOLDER, "bin/tracemill.js"), ...words, "--json", "--home", home.path];
  const process_ = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  for await (const text of process_.stdout) {
    said += text;
    if (said.includes("\n")) break;
  }
  return { process: process_, url: JSON.parse(said.split("\n", 1)[0] as string).url.replace(/\/v1$/, "") };
}

/** Asks until the proxy is gone, and returns the questions whose answer came whole. */
async function askUntilGone(url: string, name: string): Promise<string[]> {
  const answered: string[] = [];
  for (let n = 0; ; n++) {
    const question = `${name}-${n}`;
    const body = JSON.stringify({ model: "m", stream: n % 2 === 1, messages: [{ role: "user", content: question }] });
    try {
      const response = await fetch(`${url}/r/load/i/${name}/a/${n + 1}/v1/chat/completions`, { method: "POST", body });
      const text = await response.text();
      if (n % 2 === 1 ? text.includes('"stop"') : text.includes("answer to")) answered.push(question);
    } catch {
      return answered;
    }
  }
}

it.each(["kernel", "fsync"])(
  `has recorded every answer that it passed on, killed ${KILLS} times under load, with durability %s`,
  { timeout: 20_000 * KILLS },
  async (durability) => {
    const draw = random("proxy-kills", durability);
    const answered: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const { process: proxy, url } = await startProxy(durability);
      const asking = Array.from({ length: CLIENTS }, (_, i) => askUntilGone(url, `${kill}-${i}`));
      const calls = upstream.requests.length + draw.integer(2 * CLIENTS, 20 * CLIENTS);
      while (upstream.requests.length < calls) await sleep(1);
      proxy.kill("SIGKILL");
      for (const questions of await Promise.all(asking)) answered.push(...questions);
    }
    const runs = await listRuns(home);
    expect(runs).toHaveLength(1);
    const events = await eventsOf(home, runs[0]?.run ?? ("" as never));
    const texts = new Map(only(events, "message").map(({ hash, message }) => [hash as string, message.content]));
    const recorded = new Map(
      only(events, "turn").map(({ messages, response }) => [texts.get(messages[0] ?? ""), texts.get(response ?? "")]),
    );
    expect(answered.length).toBeGreaterThan(CLIENTS * KILLS);
    expect(answered.filter((question) => recorded.get(question) !== `answer to ${question}`)).toEqual([]);
    expect(await verifyHome(home)).toMatchObject({ isSound: true });
  },
);
