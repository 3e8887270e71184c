import { chmod, cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { loadRenderer } from "../../src/render/renderer.ts";
import { type AddBaseOptions, addBase } from "../../src/serve/add-base.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { readLedger } from "../../src/store/ledger.ts";
import { listBases } from "../../src/store/manifests.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";

let folder: string;
let home: Home;
let tiny: { hf: string; gguf: string };

beforeAll(async () => {
  tiny = await tinyBase();
}, 120_000);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-add-base-"));
  home = homeAt(join(folder, "home"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const neverConverts = () => Promise.reject(new Error("nothing to convert"));

function add(options: Partial<AddBaseOptions> = {}) {
  return addBase(home, { name: "tiny", ...tiny, convert: neverConverts, clock: systemClock, ...options });
}

/** A copy of the Hugging Face folder that a test may spoil. */
async function copyOfHf(): Promise<string> {
  const copy = join(folder, "hf");
  await cp(tiny.hf, copy, { recursive: true });
  return copy;
}

const refusal = (code: string, details: Record<string, unknown> = {}) =>
  expect.objectContaining({ name: "Refusal", code, details: expect.objectContaining(details) });

describe("a base that is referenced in place", () => {
  test("gets a manifest with both forms, every file hashed, and nothing copied", async () => {
    const manifest = await add();
    expect(manifest).toMatchObject({ name: "tiny", architecture: "llama", contextTokens: 2048, hfFolder: tiny.hf });
    expect(manifest.gguf).toBe(tiny.gguf);
    const forms = manifest.files
      .filter(({ part }) => part === "weights")
      .map(({ format, dtype }) => `${format} ${dtype}`);
    expect(forms).toEqual(["safetensors bf16", "gguf f16"]);
    expect(await readdir(home.baseFolder("tiny"))).toEqual(["hashes.json", "manifest.json"]);
  });

  test("is registered once, and adding it again changes nothing", async () => {
    const first = await add();
    expect(await add()).toEqual(first);
    const entries = [];
    for await (const { type, data } of readLedger(home)) entries.push({ type, data });
    expect(entries).toEqual([{ type: "base_registered", data: { name: "tiny", baseHash: first.baseHash } }]);
  });

  test("is read only once: the second time no byte is hashed", async () => {
    await add();
    const calls: number[] = [];
    await add({ onHash: (doneBytes) => calls.push(doneBytes) });
    expect(calls).toEqual([]);
  });

  test("may lie in a folder that cannot be written to", async () => {
    const hf = await copyOfHf();
    await chmod(hf, 0o555);
    await expect(add({ hf })).resolves.toMatchObject({ hfFolder: hf });
    await chmod(hf, 0o755);
  });

  test("has the same hash wherever it lies, and another one with another template", async () => {
    const first = await add();
    const hf = await copyOfHf();
    expect((await add({ name: "copy", hf })).baseHash).toBe(first.baseHash);
    await writeFile(join(hf, "chat_template.jinja"), "{{ messages[0].content }}");
    const changed = await add({ name: "changed", hf });
    expect(changed.weightsHash).toBe(first.weightsHash);
    expect(changed.baseHash).not.toBe(first.baseHash);
  });

  test("without a GGUF has none in its manifest", async () => {
    const { gguf: _, ...hfOnly } = tiny;
    const manifest = await addBase(home, { name: "tiny", ...hfOnly, convert: neverConverts, clock: systemClock });
    expect(manifest.gguf).toBeNull();
  });
});

describe("a base that comes as a GGUF alone", () => {
  test("is converted once into its own folder", async () => {
    const requests: unknown[] = [];
    const convert: AddBaseOptions["convert"] = async ({ out, ...source }) => {
      requests.push(source);
      await cp(tiny.hf, join(out, "hf"), { recursive: true });
      await cp(tiny.gguf, join(out, "model-f16.gguf"));
    };
    const options = { name: "tiny", gguf: tiny.gguf, convert, clock: systemClock };
    const manifest = await addBase(home, options);
    expect(await addBase(home, options)).toEqual(manifest);
    expect(requests).toEqual([{ gguf: tiny.gguf }]);
    expect(manifest.hfFolder).toMatch(/^converted-[0-9a-f]{12}\/hf$/);
    expect((await loadRenderer(home, manifest)).templateHash).toBe(manifest.templateHash);
  });

  test("leaves nothing behind where the conversion fails", async () => {
    const { gguf } = tiny;
    await expect(addBase(home, { name: "tiny", gguf, convert: neverConverts, clock: systemClock })).rejects.toThrow();
    expect(await readdir(home.baseFolder("tiny"))).toEqual(["hashes.json"]);
    expect(await listBases(home)).toEqual([]);
  });
});

describe("a base is refused", () => {
  test("where its name is another base's", async () => {
    await add();
    const hf = await copyOfHf();
    await writeFile(join(hf, "chat_template.jinja"), "{{ messages[0].content }}");
    await expect(add({ hf })).rejects.toThrow(refusal("NAME_TAKEN", { where: home.baseFolder("tiny") }));
    expect(await listBases(home)).toHaveLength(1);
  });

  test("where the name would not do as a folder's", async () => {
    await expect(add({ name: "../x" })).rejects.toThrow(refusal("BAD_NAME"));
  });

  test("where nothing says where its files are", async () => {
    await expect(addBase(home, { name: "smollm3", convert: neverConverts, clock: systemClock })).rejects.toThrow(
      refusal("NO_SOURCE", { expected: expect.stringContaining("smollm2") }),
    );
  });

  test("where a file is missing, a folder has no tokenizer, no template or no weights", async () => {
    await expect(add({ gguf: join(folder, "none.gguf") })).rejects.toThrow(refusal("MISSING_FILE"));
    const hf = await copyOfHf();
    const { gguf: _, ...without } = { ...tiny, hf, name: "tiny", convert: neverConverts, clock: systemClock };
    await rm(join(hf, "model.safetensors"));
    await expect(addBase(home, without)).rejects.toThrow(refusal("NO_WEIGHTS"));
    await rm(join(hf, "chat_template.jinja"));
    await expect(add({ hf })).rejects.toThrow(refusal("NO_TEMPLATE"));
    await rm(join(hf, "tokenizer.json"));
    await expect(add({ hf })).rejects.toThrow(refusal("NO_TOKENIZER"));
    await expect(add({ hf: join(folder, "nowhere") })).rejects.toThrow(refusal("NO_TOKENIZER"));
  });

  test("where a link leads to a file that is gone", async () => {
    const hf = await copyOfHf();
    await rm(join(hf, "generation_config.json"), { force: true });
    await symlink(join(folder, "gone"), join(hf, "generation_config.json"));
    await expect(add({ hf })).rejects.toThrow(refusal("MISSING_FILE"));
  });

  test("where the GGUF is not the model of the folder, or no GGUF at all", async () => {
    const hf = await copyOfHf();
    const config = JSON.parse(await readFile(join(hf, "config.json"), "utf8"));
    await writeFile(join(hf, "config.json"), JSON.stringify({ ...config, vocab_size: 99, num_hidden_layers: 7 }));
    await expect(add({ hf })).rejects.toThrow(
      refusal("FORMS_DO_NOT_FIT", { expected: "layers 7, vocabulary 99 (llama)", where: tiny.gguf }),
    );
    const gguf = join(folder, "not.gguf");
    await writeFile(gguf, "no model at all, but long enough to be looked at as one");
    await expect(add({ gguf })).rejects.toThrow(refusal("BROKEN_FILE"));
  });

  test("where config.json is broken", async () => {
    const hf = await copyOfHf();
    await writeFile(join(hf, "config.json"), "{");
    await expect(add({ hf })).rejects.toThrow(refusal("BROKEN_FILE", { where: join(hf, "config.json") }));
  });
});

test("a base whose tokenizer was changed after it was added is refused when it is rendered with", async () => {
  const hf = await copyOfHf();
  const manifest = await add({ hf });
  await writeFile(join(hf, "chat_template.jinja"), "{{ messages[0].content }}");
  await expect(loadRenderer(home, manifest)).rejects.toThrow(refusal("BASE_CHANGED", { where: hf }));
});
