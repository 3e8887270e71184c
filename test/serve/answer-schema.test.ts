/**
 * Answers that are held to a JSON schema, given by a base of random weights: it says whatever it may say.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { systemClock } from "../../src/foundation/clock.ts";
import { ROLE_ANSWERS } from "../../src/records/role-answer.ts";
import { addBase } from "../../src/serve/add-base.ts";
import type { RunningServer } from "../../src/serve/running-server.ts";
import { startServer } from "../../src/serve/server.ts";
import { homeAt } from "../../src/store/home.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";

let folder: string;
let server: RunningServer;
let client: OpenAI;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-answer-schema-"));
  const home = homeAt(folder);
  await addBase(home, { name: "tiny", ...(await tinyBase()), convert: async () => {}, clock: systemClock });
  server = await startServer({ home, base: "tiny", adapters: [], parallel: 8, threads: 1, contextTokens: 2048 });
  client = new OpenAI({ baseURL: server.url, apiKey: "none", maxRetries: 0 });
}, 120_000);

afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

/** These weights also write bytes that are no UTF-8, of which llama.cpp counts several as one character. */
function short(most: number, least = 0) {
  const length = (text: string) => [...text.replaceAll(/\ufffd+/g, "\ufffd")].length;
  const bounded = z.string().meta({ minLength: least, maxLength: most });
  return bounded.refine((value) => value.length >= least && length(value) <= most);
}

const KINDS = {
  scalars: z.object({
    text: short(12),
    fixed: short(3, 3),
    whole: z.int(),
    number: z.number(),
    fraction: z.number().min(0).max(1),
    dozen: z.int().min(0).max(12),
    yes: z.boolean(),
    nothing: z.null(),
    maybe: short(4).nullable(),
    choice: z.enum(["one", 'two "quoted" \\ {braced}', "drei ü 世"]),
    version: z.literal(3),
  }),
  lists: z.object({
    few: z.array(z.object({ a: z.boolean(), b: z.array(z.int()).max(2) })).max(3),
    some: z.array(z.boolean()).min(2).max(4),
    none: z.array(z.string()).max(0),
    empty: z.object({}),
  }),
  optional: z.object({
    a: z.boolean().optional(),
    b: z.null().optional(),
    c: z.boolean(),
    d: z.literal("x").optional(),
  }),
  options: z.object({ a: z.boolean().optional(), b: z.null().optional() }),
  root: z.union([z.boolean(), z.array(z.int()).min(1).max(2)]),
};

function format(schema: z.ZodType): OpenAI.ResponseFormatJSONSchema {
  return {
    type: "json_schema",
    json_schema: { name: "answer", strict: true, schema: z.toJSONSchema(schema) as Record<string, unknown> },
  };
}

function asked(seed: number, response_format: OpenAI.ResponseFormatJSONSchema) {
  const messages = [{ role: "user" as const, content: `Answer ${seed}` }];
  return { model: "tiny", messages, temperature: 1, seed, max_tokens: 1500, response_format };
}

test.each(Object.entries(KINDS))(
  "of %s fit it, however the draws fall",
  async (_, schema) => {
    const answers = await Promise.all(
      Array.from({ length: 24 }, async (_, seed) => {
        const { choices } = await client.chat.completions.create(asked(seed, format(schema)));
        return choices[0];
      }),
    );
    expect(new Set(answers.map((answer) => answer?.message.content)).size).toBeGreaterThan(2);
    for (const answer of answers) {
      expect(answer?.finish_reason).toBe("stop");
      schema.parse(JSON.parse(answer?.message.content ?? ""), { reportInput: true });
    }
  },
  60_000,
);

test("are told apart from free ones that are given beside them, and are the same as alone", async () => {
  const held = asked(1, format(KINDS.lists));
  const { response_format: _, ...free } = asked(2, format(KINDS.lists));
  const text = async (request: typeof held | typeof free) =>
    (await client.chat.completions.create({ ...request, max_tokens: 60 })).choices[0]?.message.content;
  const alone = [await text(held), await text(free)];
  const together = await Promise.all([held, free, held, free, held, free].map(text));
  expect(together).toEqual([...alone, ...alone, ...alone]);
  expect(() => JSON.parse(alone[1] ?? "")).toThrow();
}, 60_000);

test("of the likeliest tokens, streamed and several at once fit it too", async () => {
  const request = { ...asked(1, format(KINDS.scalars)), n: 3 };
  const greedy = await client.chat.completions.create({ ...request, temperature: 0 });
  const texts = greedy.choices.map(({ message }) => message.content ?? "");
  const streamed = ["", "", ""];
  for await (const { choices } of await client.chat.completions.create({ ...request, stream: true })) {
    for (const { index, delta } of choices) streamed[index] += delta.content ?? "";
  }
  for (const text of [...texts, ...streamed]) KINDS.scalars.parse(JSON.parse(text));
}, 60_000);

test.each(ROLE_ANSWERS)(
  "of a role ($name) parse as JSON and are understood",
  async (answer) => {
    const { name, wire, schema } = answer;
    const texts = await Promise.all(
      Array.from({ length: 12 }, async (_, seed) => {
        const json_schema = { name, schema: wire, strict: true };
        const { choices } = await client.chat.completions.create(asked(seed, { type: "json_schema", json_schema }));
        return choices[0]?.message.content ?? "";
      }),
    );
    for (const text of texts) {
      const value = JSON.parse(text);
      // Blanks alone are a text to the schema, and none to the reader.
      if (!/"\s*"/.test(text)) expect(schema.safeParse(value).error).toBeUndefined();
    }
  },
  60_000,
);

test("that cannot be held to a schema are refused before anything is sent, by the keyword", async () => {
  const schema = { type: "object", properties: { day: { type: "string", pattern: "^[0-9]+$" } }, required: ["day"] };
  const response_format = { type: "json_schema" as const, json_schema: { name: "day", schema } };
  for (const stream of [false, true]) {
    const refused = client.chat.completions.create({ ...asked(1, response_format), stream });
    const param = "response_format.json_schema.schema.properties.day.pattern";
    await expect(refused).rejects.toMatchObject({ status: 400, param, type: "invalid_request_error" });
  }
});
