import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateItems } from "../../../skills/sql/generate.ts";
import { KINDS } from "../../../skills/sql/kinds.ts";
import skill from "../../../skills/sql/skill.ts";
import { type TaskDetail, taskDetailSchema } from "../../../skills/sql/task-detail.ts";
import { startVerifier } from "../../../skills/sql/verifier.ts";
import type { Answer } from "../../../skills/sql/verifier-protocol.ts";
import { groupBy } from "../../../src/foundation/group-by.ts";
import type { Draft } from "../../../src/skills/contract.ts";
import { splitOf } from "../../../src/skills/splits.ts";

const IS_LONG = process.env.TRACEMILL_LONG !== undefined;
const drafts = generateItems(1);
const verifier = startVerifier();
const PATIENCE_MS = IS_LONG ? 1_800_000 : 120_000;

afterAll(() => verifier.close());

function detailOf(draft: Draft): TaskDetail {
  return taskDetailSchema.parse(draft.detail);
}

/** Every kind at two places of the list (all items in the long run), so each in other families. */
const sample = IS_LONG
  ? drafts
  : KINDS.flatMap(({ id }, i) => {
      const ofKind = drafts.filter(({ kind }) => kind === id);
      return [0.2, 0.7].map((place) => ofKind[Math.floor(ofKind.length * place) + (i % 3)] as Draft);
    });

describe("the generated items", () => {
  it("have 36 families or more, 12 or more of them test, 60 items or more in each", () => {
    const families = groupBy(drafts, ({ family }) => family);
    const tests = [...families.keys()].filter((family) => splitOf(skill.manifest, family) === "test");
    expect(families.size).toBeGreaterThanOrEqual(36);
    expect(tests.length).toBeGreaterThanOrEqual(12);
    expect(Math.min(...[...families.values()].map((items) => items.length))).toBeGreaterThanOrEqual(60);
  });

  it("have 24 kinds or more, each in different words", () => {
    const kinds = groupBy(drafts, ({ kind }) => kind);
    expect(kinds.size).toBeGreaterThanOrEqual(24);
    for (const items of kinds.values()) {
      const openings = new Set(items.map((item) => detailOf(item).question.split(" ").slice(0, 2).join(" ")));
      expect(openings.size).toBeGreaterThanOrEqual(2);
    }
  });

  it("ask over tables of two to six columns", () => {
    for (const draft of drafts) {
      for (const { columns } of detailOf(draft).tables) {
        expect(columns.length).toBeGreaterThanOrEqual(2);
        expect(columns.length).toBeLessThanOrEqual(6);
      }
    }
  });

  it("never ask the same question twice in one family", () => {
    const asked = drafts.map((draft) => `${draft.family} ${detailOf(draft).question}`);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it("have other ids and questions under another seed", () => {
    const others = generateItems(2);
    const ids = new Set(drafts.map(({ item }) => item));
    expect(others.some(({ item }) => ids.has(item))).toBe(false);
    expect(new Set(others.map(({ family }) => family))).toEqual(new Set(drafts.map(({ family }) => family)));
  });

  it("become worked examples that hold the tables, the question and the query", () => {
    for (const draft of sample) {
      const { schema, question, reference } = detailOf(draft);
      const call = { name: "run_sql", arguments: { query: reference } };
      const item = { ...draft, split: "train" as const };
      const [task, answer] = skill.workedExample(item, call);
      expect(task).toEqual(skill.prompt(item).at(-1));
      expect(task?.content).toBe(`${schema}\nQuestion: ${question}`);
      expect(answer).toEqual({ role: "assistant", content: reference });
    }
  });

  it("hold a table's name in the task, as similarity search sees it", () => {
    for (const draft of drafts) {
      const { question, tables } = detailOf(draft);
      expect(draft.task).toBe(`${question} (${tables.map(({ name }) => name).join(", ")})`);
    }
  });
});

describe("the contents of the items' tables", () => {
  type Prepared = Exclude<Answer<"prepare">, { error: string }>;
  const prepared = new Map<Draft, Prepared>();

  beforeAll(async () => {
    for (const draft of sample) {
      const reply = await verifier.ask({ verb: "prepare", task: detailOf(draft) });
      if ("lost" in reply || "error" in reply.answer) throw new Error(`${draft.item}: ${JSON.stringify(reply)}`);
      prepared.set(draft, reply.answer);
    }
  }, PATIENCE_MS);

  it("give every reference at least three answers, none of them empty", () => {
    for (const [{ item }, { contents }] of prepared) {
      expect(contents.length, item).toBeGreaterThanOrEqual(3);
      expect(Math.min(...contents.map(({ rows }) => rows)), item).toBeGreaterThan(0);
    }
  });

  it(
    "let every reference pass",
    async () => {
      for (const draft of sample) {
        const task = detailOf(draft);
        const reply = await verifier.ask({ verb: "verify", task, query: task.reference });
        expect(reply, draft.item).toMatchObject({ answer: { failureMode: null } });
      }
    },
    PATIENCE_MS,
  );

  it("tell the reference from nearly all wrong variants of it", () => {
    // Variants that mean the same on any content: >= against an average, and a join that keeps what WHERE drops.
    const isSame = /AVG\(\w+\) >=|>= \(SELECT AVG|RIGHT JOIN .* WHERE/;
    const left = [...prepared.values()].flatMap(({ survivors }) =>
      survivors.filter((variant) => !isSame.test(variant)),
    );
    expect(left.length / sample.length).toBeLessThan(0.05);
  });
});
