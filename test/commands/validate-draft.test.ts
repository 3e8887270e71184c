import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { draftOf, openParts } from "../../src/commands/validate-draft.ts";
import { type ValidateInput, validateInput } from "../../src/commands/validate-input.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import type { PlanDraft } from "../../src/records/comparison.ts";
import { sampleBase } from "../dataset/sample-selection.ts";
import { withHome } from "../store/sample-run.ts";
import { GATE } from "../validate/sample-comparison.ts";

const { base } = await sampleBase();

function drafted(given: ValidateInput): Promise<PlanDraft> {
  return withHome(async (home) => {
    const options = validateInput.parse({ aa: true, skill: "letters", ...given });
    const parts = await openParts(options);
    try {
      const wholeBase = { ...base, hfFolder: "", contextTokens: 4096 };
      return await draftOf(options, home, { parts, base: wholeBase, adapter: null, gate: GATE, general: [] });
    } finally {
      await Promise.all(parts.map(({ skill }) => skill.close()));
    }
  });
}

test("a draft says what serves the arms, with the room that there will be", async () => {
  expect((await drafted({})).serving).toEqual({ target: "llamacpp", args: [], contextTokens: 2048 });
  const asked = { target: "vllm", serverArgs: "--seed '1 2'", contextTokens: 9999 };
  expect((await drafted(asked)).serving).toEqual({ target: "vllm", args: ["--seed", "1 2"], contextTokens: 4096 });
});

test("a draft says how long the user's own agent may take, and nothing of it where there is none", async () => {
  expect((await drafted({ agent: "my-agent", agentTimeout: "2m" })).agentTimeoutMs).toBe(120_000);
  expect(await drafted({ agentTimeout: "2m" })).not.toHaveProperty("agentTimeoutMs");
});

test("an arm that was named and would not be run is refused", async () => {
  const withAgent = drafted({ agent: "my-agent", arms: ["base", "few-shot", "candidate+tips"] });
  await expect(withAgent).rejects.toMatchObject({
    code: "BAD_ARGUMENT",
    details: { expected: expect.stringContaining("no few-shot, candidate+tips") },
  });
  const early = drafted({ aa: false, sequential: true, arms: ["base", "champion", "candidate"] });
  await expect(early).rejects.toMatchObject({
    code: "BAD_ARGUMENT",
    details: { expected: expect.stringContaining("without champion") },
  });
});

test("which items are compared follows from the item seed, whatever the comparison's own seed is", async () => {
  const itemsOf = async (seeds: ValidateInput) => (await drafted({ limit: 5, ...seeds })).items;
  const items = await itemsOf({});
  expect(items).toHaveLength(5);
  expect(await itemsOf({ seed: 2 })).toEqual(items);
  expect(await itemsOf({ itemSeed: 2 })).not.toEqual(items);
});

test("items of the same ids with another text are other content", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tracemill-items-"));
  try {
    const contentOf = async (name: string, question: string) => {
      const items = join(folder, name);
      const line = { id: "a", family: "shop-of-ours", schema: "CREATE TABLE t (a INTEGER)", question, ordered: false };
      const lines = ["train", "a", "b", "c", "d", "e", "f", "g", "h"].map((family) =>
        JSON.stringify({ ...line, id: family, family, reference: "SELECT a FROM t" }),
      );
      await writeFile(items, `${lines.join("\n")}\n`);
      const { contentHash, items: planned } = await drafted({ skill: "sql", items });
      return { contentHash: contentHash ?? hashText(""), ids: planned.map(({ item }) => item) };
    };
    const one = await contentOf("one.jsonl", "Every a?");
    const same = await contentOf("same.jsonl", "Every a?");
    const other = await contentOf("other.jsonl", "All of a?");
    expect(same).toEqual(one);
    expect(other.ids).toEqual(one.ids);
    expect(other.contentHash).not.toBe(one.contentHash);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
