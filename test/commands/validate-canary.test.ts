/**
 * A candidate that stops being applied while it is judged, and tries that were stopped: behind a server that can do the one, and a
 * process that meets the other.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Decision } from "../../src/records/comparison.ts";
import type { RunningServer } from "../../src/serve/running-server.ts";
import { startServer } from "../../src/serve/server.ts";
import type { Home } from "../../src/store/home.ts";
import { readAdapterManifest, readBaseManifest, readPlan } from "../../src/store/manifests.ts";
import { listRuns } from "../../src/store/runs.ts";
import { registerAdapter, tinyAdapter } from "../fixtures/adapters.ts";
import { type FickleServer, startFickleServer } from "../fixtures/fickle-server.ts";
import { soundHome } from "../fixtures/sound-home.ts";
import { tracemill } from "../fixtures/tracemill.ts";

const WORDS = [
  ...["validate", "--skill", "letters", "--limit", "11", "--arms", "base", "--general", "none", "--concurrency", "2"],
  ...["--candidate", "sound", "--target", "vllm", "--json"],
];
/** Of both arms together. */
const CHATS = 22;

let home: Home;
let remove: () => Promise<void>;
let upstream: RunningServer;
let server: FickleServer;

beforeAll(async () => {
  const made = await soundHome();
  ({ home, remove } = made);
  const base = await readBaseManifest(home, "tiny");
  const { datasetHash } = await readAdapterManifest(home, "sound");
  const other = await registerAdapter(home, base, { name: "other", from: await tinyAdapter(2), datasetHash });
  upstream = await startServer({ home, base: "tiny", adapters: ["sound", "other"], threads: 1 });
  const adapters = { [made.adapterHash]: "sound", [other.adapterHash]: "other" };
  server = await startFickleServer(upstream.url, { base: "tiny", adapters });
  process.env.TRACEMILL_VLLM = server.origin;
}, 240_000);

afterAll(async () => {
  delete process.env.TRACEMILL_VLLM;
  await server.close();
  await upstream.close();
  await remove();
});

beforeEach(() => {
  server.apply(true);
  server.watch(null);
});

function validated(seed: number, ...words: string[]) {
  return tracemill(home, ...WORDS, "--seed", `${seed}`, ...words);
}

const runsNow = async () => (await listRuns(home)).filter(({ comparison }) => comparison !== null);

test("a candidate that is not applied any more at the end fails on record, and its runs are never used again", {
  timeout: 240_000,
}, async () => {
  server.watch((number) => number === 8 && server.apply(false));
  const { stdout, stderr, exitCode } = await validated(1);
  expect(exitCode, stderr).toBe(4);
  const decision: Decision = JSON.parse(stdout);
  expect(decision.hasPassed).toBe(false);
  expect(decision.axes.find(({ axis }) => axis === "canary")?.outcome).toBe("failed");
  expect(decision.reasons.join("\n")).toContain("an adapter stopped being applied on the way");
  const before = await runsNow();

  server.apply(true);
  const again = await validated(1);
  expect(again.exitCode).toBe(4);
  expect(JSON.parse(again.stdout)).toEqual(decision);
  expect(await runsNow()).toEqual(before);
  const other: Decision = JSON.parse((await validated(2)).stdout);
  expect(other.axes.find(({ axis }) => axis === "canary")?.outcome).toBe("passed");
  expect((await readPlan(home, other.comparisonHash)).use).toBe(2);
});

test("a champion that is not applied before or after the runs is no arm to beat", { timeout: 240_000 }, async () => {
  const against = ["--against", "champion", "--champion", "other"];
  server.apply(false, "other");
  const before = await validated(5, ...against);
  expect([before.exitCode, before.stderr]).toEqual([
    2,
    expect.stringContaining("The adapter other changes too little"),
  ]);
  server.apply(true);
  server.watch((number) => number === 8 && server.apply(false, "other"));
  const { stdout, stderr, exitCode } = await validated(5, ...against);
  expect(exitCode, stderr).toBe(4);
  const { axes, hasPassed }: Decision = JSON.parse(stdout);
  expect(hasPassed).toBe(false);
  expect(axes.find(({ axis }) => axis === "canary")).toMatchObject({
    outcome: "failed",
    reason: "Not applied: the adapter of champion.",
  });
});

test("what was made in a try that was killed is made again, as no canary stood at its end", {
  timeout: 240_000,
}, async () => {
  const killed = validated(3);
  server.watch((number) => {
    if (number === 4) server.apply(false);
    if (number === 14) killed.kill("SIGKILL");
  });
  await killed;
  const before = await runsNow();
  server.apply(true);
  server.watch(null);
  const { stdout, stderr, exitCode } = await validated(3);
  expect(exitCode, stderr).toBe(4);
  expect(stderr).toContain("no canary stood at their end");
  const decision: Decision = JSON.parse(stdout);
  const judged = decision.arms.flatMap(({ runs }) => runs.map(({ run }) => run));
  const unproven = before.filter(({ comparison }) => comparison?.comparisonHash === decision.comparisonHash);
  expect(unproven).toHaveLength(2);
  for (const { run } of unproven) {
    expect(judged).not.toContain(run);
    expect(decision.reasons.join("\n")).toContain(run);
  }
  expect(decision.axes.find(({ axis }) => axis === "canary")?.outcome).toBe("passed");
});

test("a try that was interrupted asks the canary before it ends, and the next one goes on with its runs", {
  timeout: 240_000,
}, async () => {
  const interrupted = validated(4);
  server.watch((number) => number === 14 && interrupted.kill("SIGINT"));
  expect((await interrupted).exitCode).not.toBe(0);
  const before = await runsNow();
  let chats = 0;
  server.watch((number) => {
    chats = number;
  });
  const { stdout, exitCode } = await validated(4);
  expect(exitCode).toBe(4);
  expect(chats).toBeLessThan(CHATS);
  expect(await runsNow()).toHaveLength(before.length);
  const decision: Decision = JSON.parse(stdout);
  expect(decision.reasons.join("\n")).not.toContain("left out");
});
