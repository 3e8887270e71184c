/**
 * Holds the sources to the layout that docs/architecture.md states: who may import whom, no cycles, sizes, names,
 * paths named in guides, fresh generated docs.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { filesPage } from "../scripts/files-page.ts";
import { commandsOf, loadAll } from "../src/commands/command-line.ts";
import { cliReference } from "../src/commands/reference-page.ts";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";

const GROUND = ["foundation", "records", "store"];
const SHARED = [...GROUND, "render", "statistics", "skills"];
const STAGES = ["harness", "capture", "curate", "dataset", "train", "serve", "validate", "registry"];

/** For each room of `src/`: the rooms that its files may import, besides its own. */
const MAY_IMPORT: Record<string, string[]> = {
  foundation: [],
  records: ["foundation"],
  store: ["foundation", "records"],
  render: GROUND,
  statistics: ["foundation", "records"],
  skills: GROUND,
  ...Object.fromEntries(STAGES.map((stage) => [stage, SHARED])),
  commands: [...SHARED, ...STAGES, "loop"],
  loop: [...SHARED, ...STAGES, "commands"],
  cli: [...GROUND, "commands"],
};

const FORBIDDEN_NAMES = /(^|[-/])(manager|service|helper|util|utils|common|core|misc|data|info)([-./]|$)|(^|\/)handle/;

const sources = filesUnder(join(PACKAGE_FOLDER, "src")).filter((path) => path.endsWith(".ts"));
const skillSources = filesUnder(join(PACKAGE_FOLDER, "skills")).filter((path) => path.endsWith(".ts"));
const exampleSources = filesUnder(join(PACKAGE_FOLDER, "examples")).filter((path) => path.endsWith(".ts"));
const pythonSources = filesUnder(join(PACKAGE_FOLDER, "python")).filter((path) => path.endsWith(".py"));

describe("the layout", () => {
  it("lets a room import only the rooms of the table", () => {
    const offences = sources.flatMap((path) =>
      importsOf(path)
        .filter((target) => target.startsWith(join(PACKAGE_FOLDER, "src")))
        .filter(
          (target) => roomOf(target) !== roomOf(path) && !(MAY_IMPORT[roomOf(path)] ?? []).includes(roomOf(target)),
        )
        .map((target) => `${shown(path)} imports ${shown(target)}`),
    );
    expect(offences).toEqual([]);
  });

  it("enters every stage by its index.ts, which has nothing but its own exports", () => {
    const entered = sources.flatMap((path) =>
      importsOf(path)
        .filter((target) => STAGES.includes(roomOf(target)) && roomOf(target) !== roomOf(path))
        .filter((target) => shown(target) !== `src/${roomOf(target)}/index.ts`)
        .map((target) => `${shown(path)} imports ${shown(target)}`),
    );
    const logic = STAGES.map((stage) => join(PACKAGE_FOLDER, "src", stage, "index.ts")).flatMap((path) =>
      readFileSync(path, "utf8")
        .replace(/^\/\*\*.*?\*\//s, "")
        .replaceAll(/^export (?:type )?\{[^}]*\} from "\.\/[^"]+";$/gm, "")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => `${shown(path)}: ${line}`),
    );
    expect([...entered, ...logic]).toEqual([]);
  });

  it("lets the main path be imported by its command and its report alone", () => {
    const importers = sources.filter((path) => importsOf(path).some((target) => shown(target) === "src/loop.ts"));
    const own = ["loop-report", "loop-rounds", "loop"].map((name) => `src/commands/${name}.ts`);
    expect(importers.map(shown).sort()).toEqual(own);
  });

  it("keeps skills on records, the skill contract and the ground", () => {
    const offences = skillSources.flatMap((path) =>
      importsOf(path)
        .filter((target) => target.startsWith(join(PACKAGE_FOLDER, "src")))
        .filter((target) => !["foundation", "records", "skills"].includes(roomOf(target)))
        .map((target) => `${shown(path)} imports ${shown(target)}`),
    );
    expect(offences).toEqual([]);
  });

  it("lets an example import the skill contract alone, and only its types", () => {
    const contract = /^import type \{[^}]*\} from "\.\.\/\.\.\/\.\.\/src\/skills\/contract\.ts";$/;
    const offences = exampleSources.flatMap((path) =>
      linesOf(path)
        .filter((line) => line.includes("/src/") && line.startsWith("import") && !contract.test(line))
        .map((line) => `${shown(path)}: ${line}`),
    );
    expect(offences).toEqual([]);
  });

  it("has no import cycle", () => {
    expect(cyclesAmong([...sources, ...skillSources, ...exampleSources])).toEqual([]);
  });

  it("keeps the main path under 80 lines and every source file under 300", () => {
    const long = [...sources, ...skillSources, ...exampleSources, ...pythonSources]
      .map((path) => ({
        path: shown(path),
        lines: linesOf(path).length,
        limit: shown(path) === "src/loop.ts" ? 80 : 300,
      }))
      .filter(({ lines, limit }) => lines > limit)
      .map(({ path, lines }) => `${path}: ${lines} lines`);
    expect(long).toEqual([]);
  });

  it("keeps functions under 60 lines", () => {
    expect([...sources, ...skillSources, ...exampleSources].flatMap(longFunctions)).toEqual([]);
  });

  it("names files by what they hold", () => {
    const offences = [...sources, ...skillSources, ...exampleSources]
      .map(shown)
      .filter((path) => FORBIDDEN_NAMES.test(path) || /[A-Z_]/.test(path));
    expect(offences).toEqual([]);
  });

  it("opens every source file with a header that says what it is", () => {
    const bare = [...sources, ...skillSources, ...exampleSources].filter(
      (path) => !readFileSync(path, "utf8").startsWith("/**"),
    );
    expect(bare.map(shown)).toEqual([]);
  });

  it("says of every exported function and class what a caller can rely on", () => {
    expect([...sources, ...skillSources, ...exampleSources].flatMap(unsaid)).toEqual([]);
  });
});

describe("the guides", () => {
  const guides = ["README.md", ...filesUnder(join(PACKAGE_FOLDER, "docs")).map(shown)].filter((name) =>
    name.endsWith(".md"),
  );

  it("name only paths that exist", () => {
    const missing = guides.flatMap((guide) => {
      const text = readFileSync(join(PACKAGE_FOLDER, guide), "utf8");
      const paths = [...text.matchAll(/`((?:src|skills|examples|python|test|bench|docs|scripts|bin)\/[\w./-]*)`/g)].map(
        (match) => match[1] as string,
      );
      return paths.filter((path) => !existsSync(join(PACKAGE_FOLDER, path))).map((path) => `${guide}: ${path}`);
    });
    expect(missing).toEqual([]);
  });

  it("hold a command reference that equals the commands' own tables", async () => {
    const commands = await loadAll(await commandsOf(join(PACKAGE_FOLDER, "src", "commands")));
    expect(readFileSync(join(PACKAGE_FOLDER, "docs", "cli.md"), "utf8")).toBe(cliReference(commands));
  });

  it("hold a list of files that equals the files' own headers", () => {
    expect(readFileSync(join(PACKAGE_FOLDER, "docs", "files.md"), "utf8")).toBe(filesPage(PACKAGE_FOLDER));
  });
});

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Exported functions and classes without a comment right above them; of an overloaded one the first counts. */
function unsaid(path: string): string[] {
  const lines = linesOf(path);
  const said = new Set<string>();
  return lines.flatMap((line, i) => {
    const name = /^export (?:default )?(?:async )?(?:function\*?|class) (\w+)/.exec(line)?.[1];
    if (name === undefined || said.has(name)) return [];
    said.add(name);
    return (lines[i - 1] ?? "").trimEnd().endsWith("*/") ? [] : [`${shown(path)}: ${name}`];
  });
}

function shown(path: string): string {
  return relative(PACKAGE_FOLDER, path);
}

/** The folder directly below `src/`, or the file's own name where it lies in `src/` itself. */
function roomOf(path: string): string {
  const [first = ""] = relative(join(PACKAGE_FOLDER, "src"), path).split("/");
  return first.replace(/\.ts$/, "");
}

function importsOf(path: string): string[] {
  const text = readFileSync(path, "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g)].map((match) =>
    resolve(dirname(path), match[1] as string),
  );
}

/** Cycles of run-time and type imports alike, each as one text. */
function cyclesAmong(paths: string[]): string[] {
  const state = new Map<string, "open" | "done">();
  const found: string[] = [];
  const visit = (path: string, trail: string[]) => {
    if (state.get(path) === "done" || !existsSync(path) || !statSync(path).isFile()) return;
    if (state.get(path) === "open") {
      found.push([...trail.slice(trail.indexOf(path)), path].map(shown).join(" -> "));
      return;
    }
    state.set(path, "open");
    for (const target of importsOf(path)) visit(target, [...trail, path]);
    state.set(path, "done");
  };
  for (const path of paths) visit(path, []);
  return found;
}

function linesOf(path: string): string[] {
  return readFileSync(path, "utf8").trimEnd().split("\n");
}

/** Functions at the top level of a file, by the formatter's own layout: from their opening line to the closing brace in column one. */
function longFunctions(path: string): string[] {
  const lines = linesOf(path);
  return lines.flatMap((line, start) => {
    const name = /^(?:export )?(?:async )?function\*? (\w+)|^(?:export )?const (\w+) = (?:async )?\(.*=> \{$/.exec(
      line,
    );
    if (name === null) return [];
    const length = lines.slice(start).findIndex((l) => /^\}/.test(l)) + 1;
    return length > 60 ? [`${shown(path)}: ${name[1] ?? name[2]} has ${length} lines`] : [];
  });
}
