import { expect, it } from "vitest";
import { z } from "zod";
import { jsonGrammar } from "../../src/serve/json-grammar.ts";

const rule = (grammar: string, name: string) =>
  grammar.split("\n").find((line) => line.startsWith(`${name} ::= `)) ?? "";

it("writes an object's keys in their order, with what they may hold", () => {
  const schema = { type: "object", properties: { a: { const: 1 }, 'b"': { type: "boolean" } }, required: ["a", 'b"'] };
  const grammar = jsonGrammar(schema, "s");
  expect(grammar).toContain(`"\\"a\\"" ":" gap "1"\n`);
  expect(grammar).toContain(`"\\"b\\\\\\"\\"" ":" gap ("true" | "false")\n`);
  expect(rule(grammar, "root")).toMatch(/^root ::= "\{" r\d+ "\}"$/);
});

it.each([
  [{ type: "string", pattern: "^a" }, "s.pattern"],
  [{ type: "string", format: "date" }, "s.format"],
  [{ type: "string", maxLength: 5000 }, "s.maxLength"],
  [{ type: "string", minLength: 3, maxLength: 2 }, "s.maxLength"],
  [{ type: "number", multipleOf: 2 }, "s.multipleOf"],
  [{ type: "number", minimum: 0.5, maximum: 1 }, "s.minimum"],
  [{ type: "integer", minimum: -5, maximum: 5 }, "s.minimum"],
  [{ type: "integer", minimum: 1, maximum: 10_000 }, "s.maximum"],
  [{ type: "integer", maximum: 7 }, "s.maximum"],
  [{ type: "array" }, "s.items"],
  [{ type: "array", items: { type: "date" } }, "s.items.type"],
  [{ type: "array", items: { type: "null" }, uniqueItems: true }, "s.uniqueItems"],
  [{ type: "object", properties: { a: { $ref: "#/$defs/b" } } }, "s.properties.a.type"],
  [{ type: "object", properties: {}, additionalProperties: true }, "s.additionalProperties"],
  [{ type: "object", properties: {}, required: ["a"] }, "s.required"],
  [{ type: "object", properties: [1] }, "s.properties.0"],
  [{ oneOf: [{ type: "null" }] }, "s.type"],
  [{ anyOf: [] }, "s.anyOf"],
  [{ anyOf: [{ type: "null" }], type: "null" }, "s.type"],
  [{ enum: [{}] }, "s.enum"],
  [{ type: "string", enum: ["a", 1] }, "s.enum"],
  [{ type: ["string", "toString"] }, "s.type"],
  [{}, "s.type"],
  [true, "s"],
  [undefined, "s"],
])("refuses %j, and names the keyword", (schema, where) => {
  expect(() => jsonGrammar(schema, "s")).toThrow(
    expect.objectContaining({ code: "BAD_REQUEST", details: expect.objectContaining({ where }) }),
  );
});

it("refuses a schema that is nested without end, instead of running out of stack", () => {
  let schema: unknown = { type: "null" };
  for (let i = 0; i < 100_000; i++) schema = { type: "array", items: schema };
  expect(() => jsonGrammar(schema, "s")).toThrow(expect.objectContaining({ code: "BAD_REQUEST" }));
});

it("takes a number without bounds in the form in which zod writes one", () => {
  const int = z.toJSONSchema(z.int());
  expect(int).toHaveProperty("maximum");
  expect(rule(jsonGrammar(int, "s"), "root")).toBe('root ::= "-"? (whole)');
});
