/** What a command of the user's own says of an attempt, by its exit code and by its last line. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { runVerifyCommand } from "../../src/capture/verify-command.ts";
import { attemptId, type ItemId, type RunId } from "../../src/records/ids.ts";

const attempt = attemptId("20261126-154210-7f3a" as RunId, "mine:a" as ItemId, 1);

const said = (line: string, exitCode = 0) =>
  runVerifyCommand(
    { command: `echo '${line}'; exit ${exitCode}`, timeoutMs: 5000, signal: new AbortController().signal },
    attempt,
  );

it.each([
  ['{"value":0.5,"confidence":0.8,"failureMode":"slow"}', 0, { value: 0.5, confidence: 0.8, failureMode: "slow" }],
  ['{"value":0,"failureMode":""}', 0, { value: 0, confidence: 1, failureMode: "failed" }],
  ['{"value":0.2,"confidence":null,"failureMode":null}', 0, { value: 0.2, confidence: 1, failureMode: "failed" }],
  ['{"value":1}', 3, { value: 1, passed: true, failureMode: null }],
  ['{"tests":12}', 0, { value: 1, passed: true }],
  ["{not json}", 1, { value: 0, passed: false }],
])("%s before exit code %i is a verdict", async (line, exitCode, verdict) => {
  expect(await said(line, exitCode)).toMatchObject({ passed: verdict.value === 1, ...verdict });
});

it("a command that is stopped says nothing, whatever it makes of the signal", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tracemill-test-"));
  const stop = new AbortController();
  const command = "trap 'exit 1' TERM; touch begun; while :; do sleep 0.05; done";
  const asked = runVerifyCommand({ command, timeoutMs: 60_000, signal: stop.signal }, attempt, { cwd: folder });
  const ended = expect(asked).rejects.toMatchObject({ code: "VERIFIER_FAILED", message: "The verifier was stopped." });
  await vi.waitUntil(() => existsSync(join(folder, "begun")), 30_000);
  stop.abort();
  await ended;
  rmSync(folder, { recursive: true });
});

it.each([
  '{"value":40}',
  '{"value":"0"}',
  '{"value":null}',
  '{"value":1,"confidence":7}',
  '{"value":0,"failureMode":3}',
])("%s is no verdict, whatever the exit code", async (line) => {
  await expect(said(line)).rejects.toMatchObject({ boundary: "verifier", code: "VERIFIER_FAILED" });
});
