import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { AnyCommand } from "../../src/commands/command.ts";
import { parseInput } from "../../src/commands/command-line.ts";
import { namesList } from "../../src/commands/names-list.ts";
import { cliReference } from "../../src/commands/reference-page.ts";
import { Refusal } from "../../src/foundation/errors.ts";

const command = {
  summary: "Paint a fence.",
  details: "Example: tracemill paint north --coats 2",
  positional: ["side"],
  input: z.object({
    side: z.enum(["north", "south"]).describe("which side"),
    coats: z.int().min(1).default(1).describe("how often"),
    water: z.number().gt(0).lt(1).default(0.5).describe("share of water"),
    color: z.array(z.string()).default([]).describe("what with"),
    tools: namesList(z.enum(["brush", "roller"]))
      .default(["brush"])
      .describe("by what means"),
    dryRun: z.boolean().default(false).describe("only say it"),
    primer: z.boolean().default(true).describe("no primer first"),
  }),
  run: async () => null,
} as unknown as AnyCommand;

function refusalOf(words: string[]): Refusal {
  try {
    parseInput("paint", command, words);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("a command line", () => {
  it("gives every option its default", () => {
    const { input, isJson, home } = parseInput("paint", command, ["north"]);
    const rest = { color: [], tools: ["brush"], dryRun: false, primer: true };
    expect(input).toEqual({ side: "north", coats: 1, water: 0.5, ...rest });
    expect({ isJson, home }).toEqual({ isJson: false, home: undefined });
  });

  it("reads numbers, repeated options, flags, and the options of every command", () => {
    const words = [
      "south",
      "--coats",
      "3",
      "--color",
      "red",
      "--color",
      "blue",
      "--dry-run",
      "--no-primer",
      "--json",
      "--home",
      "/x",
    ];
    const { input, isJson, home } = parseInput("paint", command, words);
    const rest = { color: ["red", "blue"], tools: ["brush"], dryRun: true, primer: false };
    expect(input).toEqual({ side: "south", coats: 3, water: 0.5, ...rest });
    expect({ isJson, home }).toEqual({ isJson: true, home: "/x" });
  });

  it("lets a list take all words up to the next option, where none of them could be an argument", () => {
    const table = { ...command, positional: [], input: z.object({ color: z.array(z.string()), dryRun: z.boolean() }) };
    const read = (words: string[]) => parseInput("paint", table as unknown as AnyCommand, words).input;
    expect(read(["--color", "red", "blue", "--dry-run"])).toEqual({ color: ["red", "blue"], dryRun: true });
    const { input } = parseInput("paint", command, ["--color", "red", "north"]);
    expect(input).toMatchObject({ side: "north", color: ["red"] });
  });

  it("reads names that are repeated or separated by commas, and refuses one that is missing or unknown", () => {
    const toolsOf = (...words: string[]) => parseInput("paint", command, ["north", ...words]).input.tools;
    expect(toolsOf("--tools", "brush, roller")).toEqual(["brush", "roller"]);
    expect(toolsOf("--tools", "roller,brush", "--tools", "roller")).toEqual(["roller", "brush", "roller"]);
    for (const word of ["brush,", "brush,spoon"])
      expect(refusalOf(["north", "--tools", word]).code).toBe("BAD_ARGUMENT");
    const { input } = parseInput("paint", command, ["north", "--color", "red, dark"]);
    expect(input.color).toEqual(["red, dark"]);
  });

  it.each([
    ["a missing argument", [], "BAD_ARGUMENT", /side/],
    ["a value that is not one of the choices", ["west"], "BAD_ARGUMENT", /side/],
    ["a number that is none", ["north", "--coats", "many"], "BAD_ARGUMENT", /coats/],
    ["a number below its least", ["north", "--coats", "0"], "BAD_ARGUMENT", /coats/],
    ["an unknown option", ["north", "--coat", "2"], "UNKNOWN_OPTION", /coat/],
  ])("is refused with its place where it has %s", (_, words, code, place) => {
    const refusal = refusalOf(words);
    expect(refusal.code).toBe(code);
    expect(`${refusal.message} ${refusal.details.where ?? ""}`).toMatch(place);
  });

  it("says which numbers an option takes", () => {
    const expected = (...words: string[]) => refusalOf(["north", ...words]).details.expected;
    expect(expected("--coats", "0.5")).toBe("a whole number from 1");
    expect(expected("--water", "1")).toBe("a number above 0 below 1");
  });

  it("names the nearest option for a mistyped one", () => {
    expect(refusalOf(["north", "--coat", "2"]).details.fix).toContain("--coats");
  });

  it("prints help from the same table, with the example", () => {
    const { help } = parseInput("paint", command, ["--help"]);
    expect(help).toContain("Usage: tracemill paint [options] <side>");
    expect(help).toMatch(/--coats <n> +how often \(default: 1\)/);
    expect(help).toContain("Example: tracemill paint north");
  });

  it("is described in the reference with its arguments and options", () => {
    const page = cliReference(new Map([["paint", command]]));
    expect(page).toContain("## tracemill paint");
    expect(page).toContain("| `<side>` | which side: north, south |");
    expect(page).toContain("| `--coats <n>` | how often (default: 1) |");
    expect(page).not.toContain("| `--home");
    expect(page).toContain("Every command takes --help, --home DIR");
  });
});
