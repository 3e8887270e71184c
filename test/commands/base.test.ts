/**
 * `tracemill base` as a user types it.
 */
import { cp, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BaseManifest } from "../../src/records/base-manifest.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { listBases } from "../../src/store/manifests.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";
import { tracemill } from "../fixtures/tracemill.ts";

let folder: string;
let hf: string;
let gguf: string;
let home: Home;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-base-"));
  ({ gguf } = await tinyBase());
  hf = join(folder, "hf");
  await cp((await tinyBase()).hf, hf, { recursive: true });
  await execa("chmod", ["-R", "a-w", hf]);
}, 240_000);

beforeEach(async () => {
  home = homeAt(await mkdtemp(join(folder, "home-")));
});

afterAll(async () => {
  await execa("chmod", ["-R", "u+w", hf]);
  await rm(folder, { recursive: true, force: true });
});

describe("tracemill base add", () => {
  test("takes a read-only folder where it lies, and copies nothing", async () => {
    const before = await timesIn(hf);
    const { exitCode, stdout, stderr } = await tracemill(home, "base", "add", "mine", "--hf", hf);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^mine {2}[0-9a-f]{12} {2}llama, safetensors bf16, \/.*\/hf$/);
    expect(stderr).toMatch(/^hashing, MB: 1\/1 in /m);
    expect((await listBases(home))[0]).toMatchObject({ name: "mine", hfFolder: hf, gguf: null });
    expect((await readdir(home.baseFolder("mine"))).sort()).toEqual(["hashes.json", "manifest.json"]);
    expect(await timesIn(hf)).toEqual(before);
  });

  test("given a second time reads no file again, and says so", async () => {
    const words = ["base", "add", "mine", "--hf", hf, "--gguf", gguf];
    const first = await tracemill(home, ...words);
    expect(first.stdout).toContain("safetensors bf16 + gguf f16");
    const second = await tracemill(home, ...words);
    expect(second).toMatchObject({ exitCode: 0, stdout: first.stdout });
    expect(second.stderr).toBe("mine is there already, and no file of it has changed.");
  });

  test("refuses a name that it knows no files of, with the nearest that it does", async () => {
    const { exitCode, stderr } = await tracemill(home, "base", "add", "smolm2");
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^NO_SOURCE: [\s\S]*or --hf DIR, --gguf FILE, or both[\s\S]*did you mean "smollm2"\?$/);
    expect(await listBases(home)).toEqual([]);
  });

  test("refuses to go without a name", async () => {
    const { exitCode, stderr } = await tracemill(home, "base", "add");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("tracemill base add smollm2");
  });
});

test("tracemill base list shows the bases, or how to add one", async () => {
  expect((await tracemill(home, "base", "list")).stdout).toBe("No base yet: tracemill base add smollm2");
  for (const name of ["two", "one"]) await tracemill(home, "base", "add", name, "--hf", hf, "--gguf", gguf);
  const { stdout } = await tracemill(home, "base", "list");
  expect(stdout.split("\n").map((line) => line.split(" ", 1)[0])).toEqual(["one", "two"]);
  const bases = JSON.parse((await tracemill(home, "base", "list", "--json")).stdout) as BaseManifest[];
  expect(new Set(bases.map(({ baseHash }) => baseHash)).size).toBe(1);
});

/** When each file of a folder was last changed. */
async function timesIn(path: string): Promise<[string, number][]> {
  const names = (await readdir(path)).sort();
  return Promise.all(
    names.map(async (name): Promise<[string, number]> => [name, (await stat(join(path, name))).mtimeMs]),
  );
}

const isLong = process.env.TRACEMILL_LONG !== undefined;
if (!isLong) console.log("skipped: `base add smollm2` writes half a gigabyte (TRACEMILL_LONG=1 runs it)");

test.skipIf(!isLong)(
  "tracemill base add smollm2 makes both forms of the packaged model, once",
  async () => {
    const { exitCode, stdout, stderr } = await tracemill(home, "base", "add", "smollm2");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^smollm2 {2}[0-9a-f]{12} {2}llama, safetensors bf16 \+ gguf f16, SmolLM2-135M-Instruct/);
    expect(stderr).toContain("converting: writing the f16 GGUF");
    const [base] = await listBases(home);
    const weights = base?.files.filter(({ part }) => part === "weights") ?? [];
    expect(weights.map(({ format, dtype }) => `${format} ${dtype}`)).toEqual(["safetensors bf16", "gguf f16"]);
    for (const { path, sizeBytes } of weights) {
      expect(sizeBytes).toBeGreaterThan(2.5e8);
      expect((await stat(join(home.baseFolder("smollm2"), path))).size).toBe(sizeBytes);
    }
    const again = await tracemill(home, "base", "add", "smollm2");
    expect(again.stdout).toBe(stdout);
    expect(again.stderr).toBe("smollm2 is there already, and no file of it has changed.");
  },
  600_000,
);
