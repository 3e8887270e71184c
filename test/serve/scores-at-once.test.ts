import { expect, test } from "vitest";
import { scoresAtOnce } from "../../src/serve/scores-at-once.ts";

test("as many prompts are scored at once as is wished, but where the target bears fewer", async () => {
  expect(await scoresAtOnce("llamacpp", 8)).toBe(8);
  expect(await scoresAtOnce("vllm", 8)).toBe(1);
  await expect(scoresAtOnce("vlm", 8)).rejects.toThrow(expect.objectContaining({ code: "UNKNOWN_TARGET" }));
});
