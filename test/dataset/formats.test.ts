/** The suite of all formats: whatever lies in src/dataset/formats/ is held to the contract of a format. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ColumnType } from "../../src/dataset/columns.ts";
import type { DatasetFormat, DatasetRow } from "../../src/dataset/format.ts";
import { loadFormats } from "../../src/dataset/index.ts";
import type { SelectedRow, Tier, Tokens } from "../../src/records/selection.ts";
import { TIERS } from "../../src/records/selection.ts";
import {
  attemptExample,
  call,
  result,
  sampleExample,
  samplePair,
  sampleRows,
  sampleTipPair,
  toolExample,
} from "./sample-selection.ts";

const TOKENS: Tokens = { ids: [1, 7, 9, 2], mask: [0, 0, 1, 1] };
const HOSTILE = 'a\u2028b\u2029c\u0000d"e\\f\u007fg\r\nh\u{1f600}i\ufeffj</script>{{7*7}}';

/** Column sets that the `datasets` JSON loader takes for an agent's trace and reshapes. */
const TRACE_MARKERS = [
  ["type", "message"],
  ["type", "payload"],
  ["id", "source", "model", "system_prompt", "messages"],
  ["type", "id", "version", "cwd"],
];

const IS_OF_TYPE: Record<ColumnType, (value: unknown) => boolean> = {
  text: (value) => typeof value === "string",
  fraction: (value) => typeof value === "number",
  truth: (value) => typeof value === "boolean",
  json: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  jsons: (value) => Array.isArray(value) && value.every((one) => typeof one === "object"),
  numbers: (value) => Array.isArray(value) && value.every((one) => Number.isInteger(one)),
};

const formats = [...(await loadFormats())];

function lineOf(format: DatasetFormat, row: SelectedRow, n = 1): string {
  const line = format.line({ ...row, id: `row-${n}` } as DatasetRow, TOKENS);
  return typeof line === "string" ? line : `refused: ${line.refused}`;
}

/** What the rows of a tier are: rows of answers are of one form in several tiers. */
function kindOf(tier: Tier | undefined): string {
  return tier === "preference-pairs" || tier === "reranker-pairs" ? tier : "answer";
}

/** Rows with what formats differ in; some of them are refused by some. */
function everyRow(tier: Tier): SelectedRow[] {
  const hostileTool = { type: "function" as const, function: { name: HOSTILE } };
  if (tier === "reranker-pairs")
    return [...sampleRows(tier), sampleTipPair(7, { query: HOSTILE, positive: HOSTILE, negative: HOSTILE })];
  if (tier === "preference-pairs") {
    const chosen = { role: "assistant" as const, content: HOSTILE };
    return [...sampleRows(tier), samplePair(7, { chosen, tools: [hostileTool], family: HOSTILE })];
  }
  const plain = sampleExample(7, {
    prompt: [{ role: "user", content: HOSTILE }],
    tools: [hostileTool],
    family: HOSTILE,
  });
  return [...sampleRows(tier), toolExample(4), attemptExample(5), attemptExample(6, [false, false, true]), plain];
}

function linesOf(format: DatasetFormat, tier: Tier): string[] {
  return everyRow(tier)
    .map((row) => lineOf(format, row))
    .filter((line) => !line.startsWith("refused"));
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

describe.each(formats)("the format %s", (id, format) => {
  const tiers = format.tiers.map((tier) => [tier] as const);
  const [first] = format.tiers as [Tier];

  it("writes the rows of its golden file", async () => {
    const lines = sampleRows(first).map((row, n) => lineOf(format, row, n));
    await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot(join(import.meta.dirname, "golden", `${id}.jsonl`));
  });

  it("writes the companions of its golden files", async () => {
    const counts = { examples: 3, trainRows: 2, validationRows: 1, trainTokens: null, trainedTokens: null };
    const companions = format.companions?.({ counts: { ...counts, items: 3, families: [] } }) ?? [];
    expect(new Set(companions.map(({ path }) => path)).size).toBe(companions.length);
    for (const { path, text } of companions) {
      await expect(text).toMatchFileSnapshot(join(import.meta.dirname, "golden", `${id}-${path}`));
    }
  });

  it.each(tiers)("gives every row of %s its columns, in their order, each of its type, on one line", (tier) => {
    const lines = linesOf(format, tier);
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) {
      expect(line).not.toMatch(/[\n\r]/);
      const row: Record<string, unknown> = JSON.parse(line);
      expect(Object.keys(row)).toEqual(format.columns.map(({ name }) => name));
      for (const { name, type, isNullable } of format.columns) {
        const value = row[name];
        if (!(isNullable && value === null)) expect(IS_OF_TYPE[type](value), `${name} of ${line}`).toBe(true);
        if (type === "fraction") expect(line).toMatch(new RegExp(`"${name}":-?\\d+(\\.\\d+|e)`));
      }
    }
  });

  it.each(tiers)("gives the same line for the same row of %s", (tier) => {
    expect(linesOf(format, tier)).toEqual(linesOf(format, tier));
  });

  it.each(tiers)("keeps hostile texts of %s as they are", (tier) => {
    const [hostile = ""] = everyRow(tier)
      .slice(-1)
      .map((row) => lineOf(format, row));
    expect(hostile).not.toMatch(/^refused/);
    if (!format.needsBase) expect(stringsIn(JSON.parse(hostile)).some((text) => text.includes(HOSTILE))).toBe(true);
  });

  it("has none of the column sets that a loader reshapes as a trace", () => {
    const names = format.columns.map(({ name }) => name);
    for (const marker of TRACE_MARKERS) expect(marker.every((name) => names.includes(name))).toBe(false);
  });

  it("refuses the rows of other kinds, and only for reasons that it declares", () => {
    const refused = TIERS.flatMap((tier) => everyRow(tier).map((row) => ({ tier, line: lineOf(format, row) })))
      .filter(({ line }) => line.startsWith("refused: "))
      .map(({ tier, line }) => ({ tier, reason: line.slice("refused: ".length) }));
    const declared: string[] = [...format.reasons];
    for (const { tier, reason } of refused) {
      if (format.tiers.includes(tier)) expect(declared).toContain(reason);
    }
    const others = refused.filter(({ tier }) => kindOf(tier) !== kindOf(first));
    const isOther = TIERS.flatMap((tier) => (kindOf(tier) === kindOf(first) ? [] : everyRow(tier)));
    expect(others.length).toBe(isOther.length);
    expect(others.every(({ reason }) => reason === "other-tier")).toBe(true);
    expect(others.length).toBeGreaterThan(0);
  });
});

describe.each(formats.filter(([id, { needsBase }]) => !needsBase && !["prompts", "triplets"].includes(id)))(
  "a tool call in the format %s",
  (id, format) => {
    const [first] = format.tiers as [Tier];

    it("writes a call's arguments in one form, however they were recorded", () => {
      const given = '{"path": "/etc/motd", "depth": {"n": 1}}';
      const lines = [given, JSON.parse(given)].map((recorded) => {
        const answer = call("write", recorded, "c2");
        return lineOf(
          format,
          first === "preference-pairs" ? samplePair(1, { chosen: answer }) : sampleExample(1, { completion: [answer] }),
        );
      });
      const forms = lines.map((line) =>
        line.includes('\\"depth\\":') && !line.includes('"arguments":{') ? "text" : "object",
      );
      expect(new Set(forms).size, lines.join("\n")).toBe(1);
      if (format.reasons.includes("arguments-lose-precision") && id !== "axolotl") expect(lines[0]).toBe(lines[1]);
    });

    it("refuses arguments that are no JSON object", () => {
      for (const recorded of ["rm -rf /", "[1]", "null", '{"a":']) {
        const answer = call("write", recorded, "c2");
        const row =
          first === "preference-pairs" ? samplePair(1, { chosen: answer }) : sampleExample(1, { completion: [answer] });
        expect(lineOf(format, row)).toBe("refused: arguments-not-an-object");
      }
    });
  },
);

describe("a step that is not to be trained on", () => {
  const untrained = attemptExample(1, [false, false, true]);
  const lines = Object.fromEntries(
    formats
      .filter(([, { tiers }]) => kindOf(tiers[0]) === "answer")
      .map(([id, format]) => [id, lineOf(format, untrained)]),
  );

  it("is refused by the formats that cannot mask it", () => {
    const refusing = Object.keys(lines).filter((id) => lines[id] === "refused: cannot-mask-a-step");
    expect(refusing).toEqual(["jsonl", "kto", "parquet", "sharegpt"]);
    expect(lines["jsonl-flat"]).toBe("refused: several-messages");
  });

  it("has weight 0 for OpenAI, as the answers of the prompt have", () => {
    const weights = (line: string) => JSON.parse(line).messages.map(({ weight }: { weight?: number }) => weight ?? "");
    expect(weights(lines.openai as string)).toEqual(["", "", 0, "", 1]);
    expect(weights(lineOf(formatOf("openai"), toolExample(1)))).toEqual(["", 0, "", 1]);
  });

  it("says train: false for Axolotl, as every message does that is not trained on", () => {
    const trains = JSON.parse(lines.axolotl as string).messages.map(({ train }: { train: boolean }) => train);
    expect(trains).toEqual([false, false, false, false, true]);
  });

  it("is copied context in ATIF", () => {
    const steps = JSON.parse(lines.atif as string).steps;
    expect(steps.map(({ is_copied_context }: { is_copied_context?: boolean }) => is_copied_context ?? false)).toEqual([
      ...[false, false, true, false],
    ]);
  });
});

describe("tool calls and results", () => {
  it("are joined by ids in ATIF, each result under the step that called it, and steps are numbered", () => {
    const two = sampleExample(1, {
      completion: [
        { ...call("read", { n: 1 }, "a"), tool_calls: [...calls("read", "a"), ...calls("read", "b")] },
        ...[result("one", "a"), result("two", "b"), { role: "assistant" as const, content: "ok" }],
      ],
      trained: [true, false, false, true],
    });
    const { steps } = JSON.parse(lineOf(formatOf("atif"), two));
    expect(steps.map(({ step_id }: { step_id: number }) => step_id)).toEqual([1, 2, 3, 4]);
    expect(steps[2].observation.results).toEqual([
      { source_call_id: "a", content: "one" },
      { source_call_id: "b", content: "two" },
    ]);
  });

  it("are refused in ATIF where a result names no call of the step before it", () => {
    const stray = sampleExample(1, {
      prompt: [{ role: "user", content: "x" }, call("read", {}, "a"), result("r", "b")],
    });
    expect(lineOf(formatOf("atif"), stray)).toBe("refused: result-without-call");
  });

  it.each(["openai", "atif"])("are refused by %s where a call has no id", (id) => {
    const answer = call("read", {});
    const completion = [{ ...answer, tool_calls: answer.tool_calls?.map(({ id: _, ...rest }) => rest) }];
    expect(lineOf(formatOf(id), sampleExample(1, { completion }))).toBe("refused: call-without-id");
  });

  it("keep the text that the model wrote for OpenAI, spaces and all", () => {
    const row = sampleExample(1, { completion: [call("read", '{ "n":  12345678901234567890 }')] });
    const { messages } = JSON.parse(lineOf(formatOf("openai"), row));
    expect(messages.at(-1).tool_calls[0].function.arguments).toBe('{ "n":  12345678901234567890 }');
  });

  it("are refused where an object would change a number", () => {
    const exact = sampleExample(1, { completion: [call("read", '{"id": "12345678901234567890", "n": 12345678}')] });
    const bent = sampleExample(1, { completion: [call("read", '{"n": 12345678901234567890}')] });
    expect(lineOf(formatOf("jsonl"), exact)).toContain("12345678901234567890");
    expect(lineOf(formatOf("jsonl"), bent)).toBe("refused: arguments-lose-precision");
  });

  it("are refused where an object would drop a key that stands there twice, in any depth, and only there", () => {
    const twice = '{"files": [{"path": "a", "path" : "b"}]}';
    const once = '{"path": "a", "files": [{"path": "\\"path\\": 1"}], "note": "\\\\", "": {}}';
    const row = (given: string) => sampleExample(1, { completion: [call("read", given)] });
    expect(lineOf(formatOf("jsonl"), row(twice))).toBe("refused: arguments-lose-precision");
    expect(JSON.parse(lineOf(formatOf("jsonl"), row(once))).completion[0].tool_calls[0].function.arguments).toEqual(
      JSON.parse(once),
    );
    expect(lineOf(formatOf("openai"), row(twice))).toContain('"path\\" : ');
  });

  it("leave tools null for Axolotl, an empty list for OpenAI and JSON text elsewhere where there are none", () => {
    const tools = (id: string) => JSON.parse(lineOf(formatOf(id), sampleExample(1))).tools;
    expect([tools("axolotl"), tools("openai"), tools("jsonl"), tools("sharegpt")]).toEqual([null, [], "null", ""]);
  });
});

describe("LLaMA-Factory's alternation", () => {
  const user = { role: "user" as const, content: "x" };
  const answer = { role: "assistant" as const, content: "y" };

  it.each([
    ["two users in a row", [user, user]],
    ["a system message that is not first", [user, { role: "system" as const, content: "s" }]],
    ["an answer first", []],
  ])("refuses %s", (_, prompt) => {
    expect(lineOf(formatOf("sharegpt"), sampleExample(1, { prompt }))).toBe("refused: roles-do-not-alternate");
  });

  it("refuses two results in a row, and text beside a call", () => {
    const both = { ...call("read", {}, "a"), tool_calls: [...calls("read", "a"), ...calls("read", "b")] };
    const trained = [true, false, false, true];
    const twice = sampleExample(1, { completion: [both, result("1", "a"), result("2", "b"), answer], trained });
    expect(lineOf(formatOf("sharegpt"), twice)).toBe("refused: roles-do-not-alternate");
    const beside = sampleExample(1, { completion: [{ ...call("read", {}), content: "I read." }] });
    expect(lineOf(formatOf("sharegpt"), beside)).toBe("refused: text-beside-a-call");
  });

  it("refuses an earlier answer, which its trainer would train on too", () => {
    const row = sampleExample(1, { prompt: [user, answer, user] });
    expect(lineOf(formatOf("sharegpt"), row)).toBe("refused: cannot-mask-a-step");
  });

  it("takes a whole attempt, with calls and observations as its roles", () => {
    const { conversations, system } = JSON.parse(lineOf(formatOf("sharegpt"), attemptExample(1)));
    expect(system).toBe("You write one SQL query.");
    expect(conversations.map(({ from }: { from: string }) => from)).toEqual([
      ...["human", "function_call", "observation", "gpt"],
    ]);
    expect(JSON.parse(conversations[1].value)).toEqual({ name: "read", arguments: { path: "/etc/issue", lines: 3 } });
  });
});

it.each(["openai", "jsonl-flat", "sharegpt"])(
  "reasoning beside an answer is refused by %s, which has no place for it",
  (id) => {
    const completion = [{ role: "assistant" as const, content: "y", reasoning_content: "because" }];
    expect(lineOf(formatOf(id), sampleExample(1, { completion }))).toBe("refused: reasoning-is-lost");
    expect(lineOf(formatOf("jsonl"), sampleExample(1, { completion }))).toContain('"reasoning_content":"because"');
  },
);

it("the flat format joins the prompt's texts by an empty line and refuses a dialogue", () => {
  const flat = JSON.parse(lineOf(formatOf("jsonl-flat"), sampleExample(1)));
  expect(flat.prompt).toMatch(/^You write one SQL query\.\n\nHow many/);
  expect(lineOf(formatOf("jsonl-flat"), toolExample(1))).toBe("refused: dialogue-is-not-flat");
  const called = JSON.parse(
    lineOf(formatOf("jsonl-flat"), sampleExample(1, { completion: [call("read", '{"n": 1}')] })),
  );
  expect(called.response).toBe('{"name":"read","arguments":{"n":1}}');
});

it("pairs of tips are held by their own tier alone, and by no format that holds anything else", () => {
  const holding = formats.filter(([, { tiers }]) => tiers.includes("reranker-pairs"));
  expect(holding.map(([id, { tiers }]) => [id, tiers])).toEqual([["triplets", ["reranker-pairs"]]]);
  const lines = formats.map(([id, format]) => [id, lineOf(format, sampleTipPair(1))]);
  expect(lines.filter(([, line]) => line !== "refused: other-tier").map(([id]) => id)).toEqual(["triplets"]);
});

it("triplets have these columns in this order and no others, as their reader goes by order and takes all", () => {
  expect(lineOf(formatOf("triplets"), sampleTipPair(1, { query: "q", positive: "p", negative: "n" }))).toBe(
    '{"anchor":"q","positive":"p","negative":"n"}',
  );
});

it("labels of the tokens format are ids under the loss and -100 elsewhere, in the columns that Axolotl takes", () => {
  expect(JSON.parse(lineOf(formatOf("tokens"), sampleExample(1)))).toEqual({
    ...{ input_ids: [1, 7, 9, 2], attention_mask: [1, 1, 1, 1], labels: [-100, -100, 9, 2] },
  });
});

function formatOf(id: string): DatasetFormat {
  return new Map(formats).get(id) as DatasetFormat;
}

function calls(name: string, id: string) {
  return call(name, {}, id).tool_calls ?? [];
}
