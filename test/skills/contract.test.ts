/** What every skill must keep, whoever wrote it: run on each folder in `skills/`. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hashJson } from "../../src/foundation/hashing.ts";
import { itemSchema } from "../../src/records/item.ts";
import { messageSchema } from "../../src/records/message.ts";
import { verdictSchema } from "../../src/records/verdict.ts";
import { listSkills, loadSkill, skillHash } from "../../src/skills/load.ts";
import { scanItems } from "../../src/skills/scan.ts";
import { splitOf } from "../../src/skills/splits.ts";

const ids = await listSkills();

it("finds the skills that ship", () => {
  expect(ids).toEqual(expect.arrayContaining(["cron", "sql"]));
});

describe.each(ids)("the skill %s", async (id) => {
  const skill = await loadSkill(id);
  const lacking = (await skill.doctor?.())?.find(({ isMet }) => !isMet);
  if (lacking !== undefined) {
    const reason = `lacks ${lacking.what}: ${lacking.found}${lacking.fix === null ? "" : ` (${lacking.fix})`}`;
    console.warn(`skipped, the skill ${id} ${reason}`);
    it.skip(reason);
    return;
  }
  const drafts = await skill.items({ seed: 1 });
  const [first] = await scanItems(skill, { seed: 1, split: "train", limit: 1 });
  if (first === undefined) throw new Error("scanItems gave nothing");

  afterAll(() => skill.close());

  it("is called what its folder is called, and has a hash", async () => {
    expect(skill.manifest.id).toBe(id);
    expect(await skillHash(id)).toMatch(/^[0-9a-f]{64}$/);
    expect(await skillHash(id)).toBe(await skillHash(id));
  });

  it("gives the same items for the same seed", async () => {
    expect(hashJson(await skill.items({ seed: 1 }))).toBe(hashJson(drafts));
  });

  it("gives items that fit the record, with ids that occur once", () => {
    const items = drafts.map((draft) => ({ ...draft, split: splitOf(skill.manifest, draft.family) }));
    for (const item of items) expect(itemSchema.parse(item)).toEqual(item);
    expect(new Set(items.map(({ item }) => item)).size).toBe(items.length);
    expect(items.every(({ item }) => item.startsWith(`${id}:`))).toBe(true);
  });

  it("keeps every family in its split, whatever the seed", async () => {
    const families = new Set(drafts.map(({ family }) => family));
    const others = await skill.items({ seed: 2 });
    expect(new Set(others.map(({ family }) => family))).toEqual(families);
    const scans = await Promise.all(
      (["train", "validation", "test"] as const).map((split) => scanItems(skill, { seed: 2, split })),
    );
    const places = scans.map((items) => new Set(items.map(({ family }) => family)));
    expect(places.reduce((sum, place) => sum + place.size, 0)).toBe(families.size);
    for (const [i, items] of scans.entries()) {
      for (const item of items)
        expect([places[i]?.has(item.family), splitOf(skill.manifest, item.family)]).toEqual([true, item.split]);
    }
  });

  it("renders a prompt that ends with a user's message", () => {
    const prompt = skill.prompt(first);
    for (const message of prompt) expect(messageSchema.parse(message)).toEqual(message);
    expect(prompt.at(-1)?.role).toBe("user");
    expect(prompt.at(-1)?.content).not.toBe("");
  });

  it("judges an answer without an action, in one of its failure modes", async () => {
    const parsed = skill.parse({ role: "assistant", content: "" }, first);
    if ("call" in parsed) throw new Error("an empty answer asks for no action");
    const workspace = await skill.open(first, {
      folder: await mkdtemp(join(tmpdir(), "tracemill-workspace-")),
      from: null,
    });
    const verdict = verdictSchema.parse(await workspace.verify(null, parsed));
    expect(verdict.passed).toBe(false);
    expect(skill.manifest.failureModes).toContain(verdict.failureMode);
    await workspace.close();
  });
});
