import { expect, test } from "vitest";
import { serverInputOf, startingOf } from "../../src/commands/target-input.ts";

const argsOf = (serverArgs: string) => startingOf({ serverArgs, startTimeout: "10m" }).args;

test("a server's arguments are taken apart as a shell would", () => {
  expect(argsOf("")).toEqual([]);
  expect(argsOf(" --tensor-parallel-size 2  --quantization=awq ")).toEqual([
    "--tensor-parallel-size",
    "2",
    "--quantization=awq",
  ]);
  expect(argsOf(`--hf-overrides '{"a": 1}' --x "say \\"hi\\"" y\\ z`)).toEqual([
    ...["--hf-overrides", '{"a": 1}', "--x", 'say "hi"', "y z"],
  ]);
});

test("a quote that is not closed is refused, however long what follows is", () => {
  for (const line of ["--x 'open", `--x "${"\\a".repeat(50_000)}`]) {
    expect(() => argsOf(line)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  }
});

test("a server is told how long a prompt and its answer may be where that is said, by each command that starts one", () => {
  const given = { serverArgs: "--seed 1", startTimeout: "1m", contextTokens: 8192 };
  expect(startingOf(given)).toEqual({ args: ["--seed", "1"], startTimeoutMs: 60_000, contextTokens: 8192 });
  expect(startingOf({ serverArgs: "", startTimeout: "1m" })).not.toHaveProperty("contextTokens");
  // What the loop hands to each of its stages.
  expect(serverInputOf({ ...given, seed: 1 } as never)).toEqual(given);
});

test("how long a server may take is a length of time", () => {
  expect(startingOf({ serverArgs: "", startTimeout: "30m" }).startTimeoutMs).toBe(1_800_000);
  expect(() => startingOf({ serverArgs: "", startTimeout: "soon" })).toThrow(
    expect.objectContaining({ code: "BAD_ARGUMENT" }),
  );
});
