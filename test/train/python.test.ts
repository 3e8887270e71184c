import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { python } from "../../src/train/python.ts";
import { PYTHON } from "../fixtures/venv.ts";

const anything = z.looseObject({});
let folder: string;
const asked = process.env.TRACEMILL_PYTHON;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-python-"));
});

afterEach(async () => {
  if (asked === undefined) delete process.env.TRACEMILL_PYTHON;
  else process.env.TRACEMILL_PYTHON = asked;
  await rm(folder, { recursive: true, force: true });
});

/** Lets `script` stand where the interpreter is looked for. */
async function usePython(script: string): Promise<void> {
  const path = join(folder, "python");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  process.env.TRACEMILL_PYTHON = path;
}

describe("the Python runner", () => {
  it("refuses where there is no interpreter, with the command that makes one", async () => {
    process.env.TRACEMILL_PYTHON = join(folder, "none");
    await expect(python()).rejects.toMatchObject({
      code: "NO_PYTHON",
      details: { got: expect.stringContaining(folder), fix: expect.stringContaining("make setup") },
    });
  });

  it("refuses an interpreter without the packages, naming the first that is missing", async () => {
    await usePython(`exec "${PYTHON}" -S "$@"`);
    const runner = await python();
    await expect(runner.run("base", { out: folder, package: "x" }, { result: anything })).rejects.toMatchObject({
      code: "NO_PACKAGES",
      details: { fix: "make setup", got: expect.stringMatching(/no "\w+"/) },
    });
  });

  it("passes a refusal on with all that it says", async () => {
    const gguf = join(folder, "none.gguf");
    const stages: string[] = [];
    const verb = (await python()).run(
      "base",
      { out: folder, gguf },
      {
        result: anything,
        onEvent: (event) => event.type === "progress" && stages.push(event.stage),
      },
    );
    await expect(verb).rejects.toMatchObject({ name: "Refusal", code: "NO_GGUF", details: { where: gguf } });
    expect(stages).toEqual(["loading the libraries"]);
  });

  it("reports a death with its last words", async () => {
    await usePython("for n in $(seq 50); do echo line $n >&2; done; kill -9 $$");
    await expect((await python()).run("base", {}, { result: anything })).rejects.toMatchObject({
      ...{ boundary: "trainer", code: "TRAINER_DIED" },
      message: expect.stringMatching(/SIGKILL.*\nline 31\n(.*\n)*line 50$/),
    });
  });

  it("reports output that is no event, and a result of another shape", async () => {
    await usePython("echo hello; exec sleep 30");
    const started = Date.now();
    await expect((await python()).run("base", {}, { result: anything })).rejects.toMatchObject({ code: "BAD_EVENT" });
    expect(Date.now() - started).toBeLessThan(20_000);
    await usePython(`echo '{"type":"finished","gguf":3}'`);
    const result = z.object({ gguf: z.string() });
    await expect((await python()).run("base", {}, { result })).rejects.toMatchObject({ code: "BAD_EVENT" });
  });

  it("ends the process when it is aborted, and starts none when it already is", async () => {
    await usePython(`echo '{"type":"progress","stage":"waiting"}'; exec sleep 30`);
    const stop = new AbortController();
    const options = { result: anything, signal: stop.signal, onEvent: () => stop.abort() };
    const started = Date.now();
    for (const _ of [1, 2]) {
      await expect((await python()).run("base", {}, options)).rejects.toMatchObject({ code: "INTERRUPTED" });
    }
    expect(Date.now() - started).toBeLessThan(20_000);
  });

  it("gives a training that is to end as long as two of its steps, and then kills it", async () => {
    const step = JSON.stringify({
      ...{ type: "step", step: 1, epoch: 1, loss: 1, learningRate: 1, steps: 2, tokensPerSecond: 1, etaMs: 0 },
    });
    const isSavedIn = async (tenths: number) => {
      const saved = join(folder, `saved-in-${tenths}`);
      await usePython(`
        trap 'for n in $(seq ${tenths}); do sleep 0.1; done; touch "${saved}"; exit 130' TERM
        sleep 1; echo '${step}'
        while true; do sleep 0.1; done`);
      const stop = new AbortController();
      const options = { result: anything, signal: stop.signal, leastPatienceMs: 100, onEvent: () => stop.abort() };
      await expect((await python()).run("base", {}, options)).rejects.toMatchObject({ code: "INTERRUPTED" });
      return existsSync(saved);
    };
    expect(await isSavedIn(10)).toBe(true);
    expect(await isSavedIn(100)).toBe(false);
  }, 20_000);
});
