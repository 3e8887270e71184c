import { expect, test } from "vitest";
import { startingOf } from "../../src/commands/target-input.ts";

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

test("how long a server may take is a length of time", () => {
  expect(startingOf({ serverArgs: "", startTimeout: "30m" }).startTimeoutMs).toBe(1_800_000);
  expect(() => startingOf({ serverArgs: "", startTimeout: "soon" })).toThrow(
    expect.objectContaining({ code: "BAD_ARGUMENT" }),
  );
});
