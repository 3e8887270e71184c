import { afterAll, describe, expect, it } from "vitest";
import { DOMAINS } from "../../../skills/sql/domains.ts";
import { freshDomains } from "../../../skills/sql/fresh-domains.ts";
import { freshItems } from "../../../skills/sql/generate.ts";
import { KINDS } from "../../../skills/sql/kinds.ts";
import skill from "../../../skills/sql/skill.ts";
import { taskDetailSchema } from "../../../skills/sql/task-detail.ts";
import { startVerifier } from "../../../skills/sql/verifier.ts";
import { splitOf } from "../../../src/skills/splits.ts";

const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1);
const verifier = startVerifier();

afterAll(() => verifier.close());

describe("the domains of a seed's own", () => {
  it("are as many as the hand-written ones of the test split, all of it, and no other seed's of a dozen", () => {
    const written = DOMAINS.map(({ id }) => id);
    const inTest = written.filter((id) => splitOf(skill.manifest, id) === "test");
    const ids = SEEDS.flatMap((seed) => freshDomains(seed).map(({ id }) => id));
    expect(ids).toHaveLength(SEEDS.length * inTest.length);
    expect(new Set([...ids, ...written]).size).toBe(ids.length + written.length);
    expect(ids.every((id) => splitOf(skill.manifest, id) === "test")).toBe(true);
  });

  it("are drawn by their names: the same ones again for the same seed, whole numbers below 0 too", () => {
    expect(freshDomains(3)).toEqual(freshDomains(3));
    const all = new Map(
      Array.from({ length: 40 }, (_, i) => freshDomains(i))
        .flat()
        .map((one) => [one.id, one]),
    );
    for (const domain of freshDomains(-5)) expect(all.get(domain.id)).toEqual(domain);
  });

  it("have columns of different names, and tables that nobody else has", () => {
    const domains = SEEDS.flatMap(freshDomains);
    const tables = [...DOMAINS, ...domains].map(({ table }) => table);
    expect(new Set(domains.map(({ table }) => table)).size).toBe(domains.length);
    for (const { table } of domains) expect(tables.filter((one) => one === table)).toHaveLength(1);
    for (const { label, categories, measures, date, optional, parent, id } of domains) {
      const columns = [label, ...categories, ...measures, date, optional].map(({ column }) => column);
      expect(new Set([...columns, parent?.key]).size, id).toBe(columns.length + 1);
      const ofParent = [parent?.label.column, parent?.category.column];
      expect(
        columns.filter((column) => ofParent.includes(column)),
        id,
      ).toEqual([]);
      expect(new Set(label.values).size, id).toBe(16);
    }
  });
});

describe("their items", () => {
  it("are of every kind, with ids of their own", () => {
    const items = [1, 2].flatMap(freshItems);
    expect(new Set(items.map(({ kind }) => kind)).size).toBe(KINDS.length);
    expect(new Set(items.map(({ item }) => item)).size).toBe(items.length);
  });

  it("have references that pass and never come to nothing", async () => {
    const items = freshItems(1);
    const sample = KINDS.flatMap(({ id }, i) => items.filter(({ kind }) => kind === id).slice(i, i + 1));
    expect(sample.length).toBeGreaterThan(KINDS.length / 2);
    for (const { item, detail } of sample) {
      const task = taskDetailSchema.parse(detail);
      const prepared = await verifier.ask({ verb: "prepare", task });
      if ("lost" in prepared || "error" in prepared.answer) throw new Error(`${item}: ${JSON.stringify(prepared)}`);
      expect(Math.min(...prepared.answer.contents.map(({ rows }) => rows)), item).toBeGreaterThan(0);
      const reply = await verifier.ask({ verb: "verify", task, query: task.reference });
      expect(reply, item).toMatchObject({ answer: { failureMode: null } });
    }
  }, 120_000);
});
