/**
 * The published package: plain JavaScript and types, installed into an empty folder, runs.
 */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";

describe("the packed package", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tracemill-pack-"));
    await execa(process.execPath, ["scripts/build.ts"], { cwd: PACKAGE_FOLDER });
    const { stdout } = await execa("npm", ["pack", "--json", "--pack-destination", folder], { cwd: PACKAGE_FOLDER });
    const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
    await writeFile(join(folder, "package.json"), "{}");
    await writeFile(join(folder, "files.json"), JSON.stringify(packed?.files.map((file) => file.path)));
    // Platform binaries are left out: the help and the skills must not need them.
    await execa(
      "npm",
      ["install", "--ignore-scripts", "--omit=optional", "--prefer-offline", `./${packed?.filename}`],
      { cwd: folder },
    );
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("holds no TypeScript that Node would have to strip", async () => {
    const files = (await readdir(join(folder, "node_modules", "tracemill"), { recursive: true })).map(String);
    expect(files.filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"))).toEqual([]);
    expect(files).toContain(join("dist", "src", "cli.js"));
    expect(files).toContain(join("dist", "skills", "sql", "skill.js"));
    expect(files).toContain(join("python", "tracemill_train", "__main__.py"));
  });

  it("prints its help through npx", async () => {
    const { stdout } = await execa("npx", ["--no-install", "tracemill", "--help"], { cwd: folder });
    expect(stdout).toContain("Usage: tracemill <command> [options]");
    expect(stdout).toMatch(/\n {2}loop +/);
  });

  it.each(["typescript", "executable"])("writes a skill of the form %s that keeps the contract", async (form) => {
    const env = { TRACEMILL_SKILLS: join(folder, "skills") };
    const tracemill = (...words: string[]) =>
      execa(process.execPath, ["node_modules/tracemill/bin/tracemill.js", ...words], { cwd: folder, env });
    await tracemill("skill", "new", `my-${form}`, "--form", form);
    expect((await tracemill("skill", "test", `my-${form}`)).stdout).toMatch(/keeps the contract\.$/);
  });

  it("has the types that a skill of one's own is checked against", async () => {
    const settings = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024"];
    const types = ["--types", "node", "--typeRoots", join(PACKAGE_FOLDER, "node_modules", "@types")];
    const tsc = join(PACKAGE_FOLDER, "node_modules", ".bin", "tsc");
    const checked = await execa(tsc, [...settings, ...types, "skills/my-typescript/skill.ts"], {
      cwd: folder,
      reject: false,
    });
    expect(checked.stdout).toBe("");
  });

  it("refuses an unknown command with the nearest known one", async () => {
    const { exitCode, stderr } = await execa("npx", ["--no-install", "tracemill", "exprot"], {
      cwd: folder,
      reject: false,
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('did you mean "export"');
  });
});
