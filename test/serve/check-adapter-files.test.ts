/** Adapters as hostile as files can be; the sound one is what the trainer's own verb writes. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import type { BaseManifest } from "../../src/records/base-manifest.ts";
import { addBase } from "../../src/serve/add-base.ts";
import { checkAdapterFiles } from "../../src/serve/check-adapter-files.ts";
import { startServer } from "../../src/serve/server.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { registerAdapter, tinyAdapter } from "../fixtures/adapters.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";

const WEIGHTS = "adapter_model.safetensors";
const CONFIG = "adapter_config.json";
const FIRST = "base_model.model.model.layers.0.mlp.down_proj.lora_A.weight";

interface Tensor {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

type Header = Record<string, Tensor>;

let folder: string;
let from: string;
let home: Home;
let base: BaseManifest;
let name = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-adapter-files-"));
  home = homeAt(join(folder, "home"));
  base = await addBase(home, {
    name: "tiny",
    ...(await tinyBase()),
    convert: async () => {},
    clock: systemClock,
  });
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  from = join(folder, `adapter-${++name}`);
  await cp(await tinyAdapter(1), from, { recursive: true });
});

async function checked() {
  const adapter = await registerAdapter(home, base, { name: `a${name}`, from });
  return checkAdapterFiles(home, { adapter, base });
}

/** The code and what was found, as a person would see it. */
async function refusal(): Promise<string> {
  const error = await checked().then(
    () => null,
    (thrown) => thrown,
  );
  expect(error).toMatchObject({ name: "Refusal", details: { expected: expect.any(String), fix: expect.any(String) } });
  return `${error.code}: ${error.details.got}`;
}

async function parts(): Promise<{ header: Header; values: Buffer }> {
  const bytes = await readFile(join(from, WEIGHTS));
  const start = 8 + Number(bytes.readBigUInt64LE());
  return { header: JSON.parse(bytes.subarray(8, start).toString()), values: bytes.subarray(start) };
}

async function write(header: unknown, values: Buffer, length?: bigint): Promise<void> {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(length ?? BigInt(text.length));
  await writeFile(join(from, WEIGHTS), Buffer.concat([start, text, values]));
}

async function changeHeader(change: (header: Header) => unknown): Promise<void> {
  const { header, values } = await parts();
  await write(change(header) ?? header, values);
}

/** Sets the adapter's first value, written as another type where one is given. */
async function writeValue(bytes: number[], dtype: "F32" | "F16" | "BF16"): Promise<void> {
  const { header, values } = await parts();
  const width = dtype === "F32" ? 4 : 2;
  for (const tensor of Object.values(header).filter((one) => "dtype" in one)) {
    tensor.dtype = dtype;
    tensor.data_offsets = tensor.data_offsets.map((place) => (place / 4) * width) as [number, number];
  }
  const written = width === 4 ? Buffer.from(values) : Buffer.alloc(values.length / 2);
  written.set(bytes, (header[FIRST] as Tensor).data_offsets[0]);
  await write(header, written);
}

async function changeConfig(changes: Record<string, unknown>): Promise<void> {
  const path = join(from, CONFIG);
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), ...changes }));
}

describe("a sound adapter", () => {
  it("is let through, with its rank and the modules that it changes", async () => {
    expect(await checked()).toEqual({ rank: 8, modules: 14 });
  });

  it("has the highest rank of its modules", async () => {
    await changeConfig({ rank_pattern: { "layers.0.mlp.down_proj": 64 } });
    expect(await checked()).toEqual({ rank: 64, modules: 14 });
  });

  it.each(["F16", "BF16"] as const)("may hold %s", async (dtype) => {
    await writeValue([0, 0], dtype);
    expect(await checked()).toEqual({ rank: 8, modules: 14 });
  });
});

describe("a file that is no sound safetensors file is refused", () => {
  it.each([
    ["cut in its header", (bytes: Buffer) => bytes.subarray(0, 100), /one of 3488 bytes/],
    ["cut in its values", (bytes: Buffer) => bytes.subarray(0, -1), /one of \d+ bytes/],
    ["with bytes behind its values", (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(1)]), /one of \d+ bytes/],
    ["of three bytes", () => Buffer.from("abc"), /3 bytes/],
    ["that is empty", () => Buffer.alloc(0), /0 bytes/],
  ])("%s", async (_, change, got) => {
    const path = join(from, WEIGHTS);
    await writeFile(path, change(await readFile(path)));
    expect(await refusal()).toMatch(new RegExp(`BAD_SAFETENSORS: ${got.source}`));
  });

  it("that says it had a header of 2^63 bytes, without that memory being asked for", async () => {
    await write("{}", Buffer.alloc(0), 2n ** 63n);
    expect(await refusal()).toBe(`BAD_SAFETENSORS: one of ${2n ** 63n} bytes`);
  });

  it("that has a header of more than 8 MB", async () => {
    await write(`{"__metadata__":{"a":"${"x".repeat(8_000_000)}"}}`, Buffer.alloc(0));
    expect(await refusal()).toMatch(/^BAD_SAFETENSORS: one of 80\d+ bytes$/);
  });

  it.each([
    ["no JSON", "{", /BAD_SAFETENSORS/],
    ["a list", "[]", /BAD_SAFETENSORS: something else/],
    ["nested 100,000 deep", `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`, /BAD_SAFETENSORS/],
    [
      "a name that comes twice",
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}',
      /: 1 \("a"\)/,
    ],
    ["a negative place", '{"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}}', /"a"/],
    [
      "a shape whose product no number holds",
      '{"a":{"dtype":"U8","shape":[9007199254740991,9007199254740991],"data_offsets":[0,2]}}',
      /: 2 \("a"\)/,
    ],
    ["an unknown type", '{"a":{"dtype":"__proto__","shape":[1],"data_offsets":[0,1]}}', /"__proto__"/],
  ])("whose header is %s", async (_, header, got) => {
    await write(header, Buffer.alloc(2));
    expect(await refusal()).toMatch(got);
  });

  it("whose tensors overlap", async () => {
    await changeHeader((header) => {
      const [first, second] = Object.keys(header).filter((key) => key !== "__metadata__") as [string, string];
      const { data_offsets: taken } = header[first] as Tensor;
      const { data_offsets: own } = header[second] as Tensor;
      header[second] = { ...(header[second] as Tensor), data_offsets: [taken[0], taken[0] + own[1] - own[0]] };
    });
    expect(await refusal()).toMatch(/^BAD_SAFETENSORS: 0 \("base_model/);
  });
});

describe("values that are infinite or no numbers are refused, with their tensor", () => {
  it.each([
    ["F32", "NaN", [0, 0, 0xc0, 0x7f]],
    ["F32", "-infinity", [0, 0, 0x80, 0xff]],
    ["BF16", "NaN", [0xc0, 0x7f]],
    ["F16", "infinity", [0, 0x7c]],
  ] as const)("%s %s", async (dtype, _, bytes) => {
    await writeValue([...bytes], dtype);
    expect(await refusal()).toBe(`ADAPTER_NOT_FINITE: others in ${FIRST}`);
  });
});

describe("tensors that do not fit the base are refused", () => {
  it("of another width, although their size is the same", async () => {
    await changeHeader((header) => {
      (header[FIRST] as Tensor).shape = [8, 80, 2];
    });
    expect(await refusal()).toBe(`ADAPTER_DOES_NOT_FIT: [8, 80, 2] (${FIRST})`);
    await changeHeader((header) => {
      (header[FIRST] as Tensor).shape = [16, 80];
    });
    expect(await refusal()).toBe("ADAPTER_DOES_NOT_FIT: A with 16, B with 8 (model.layers.0.mlp.down_proj)");
  });

  it.each([
    ["of a module that the base has not", "model.layers.7.mlp.down_proj"],
    ["of another base's width", "model.layers.0.mlp.up_proj"],
  ])("%s", async (_, module) => {
    await changeHeader((header) => {
      const pair = Object.entries(header).filter(([key]) => key.includes("layers.0.mlp.down_proj"));
      return Object.fromEntries(
        pair.map(([key, tensor]) => [key.replace("model.layers.0.mlp.down_proj", module), tensor]),
      );
    });
    const { header, values } = await parts();
    await write(header, values.subarray(0, 8 * (160 + 64) * 4));
    expect(await refusal()).toContain(`ADAPTER_DOES_NOT_FIT: `);
    expect(await refusal()).toContain(module);
  });

  it("without the other half of a pair, or with anything that is no LoRA", async () => {
    const renames = { "lora_B.weight": "lora_magnitude_vector", lora_A: "lora_B" };
    await changeHeader((header) => {
      const key = FIRST.replace("lora_A", "lora_B");
      const { [key]: moved, ...rest } = header;
      return { ...rest, [FIRST.replace("lora_A.weight", renames["lora_B.weight"])]: moved };
    });
    expect(await refusal()).toMatch(/^ADAPTER_DOES_NOT_FIT: .*lora_magnitude_vector$/);
    await changeHeader((header) => {
      const { [FIRST.replace("lora_A.weight", "lora_magnitude_vector")]: moved, ...rest } = header;
      return { ...rest, "base_model.model.lm_head.lora_B.weight": moved };
    });
    expect(await refusal()).toBe(`ADAPTER_DOES_NOT_FIT: only ${FIRST}`);
  });
});

describe("a configuration that asks for more than a LoRA is refused", () => {
  it.each([
    ["another method", { peft_type: "LOHA" }],
    ["classes of its own", { auto_mapping: { base_model_class: "Evil", parent_library: "os" } }],
    ["code of its own", { auto_map: { AutoModel: "evil.Model" } }],
    ["code from elsewhere", { trust_remote_code: true }],
    ["weights that are saved whole", { modules_to_save: ["lm_head"] }],
    ["DoRA", { use_dora: true }],
  ])("%s", async (_, changes) => {
    await changeConfig(changes);
    expect(await refusal()).toContain(`ADAPTER_DOES_NOT_FIT: `);
    expect(await refusal()).toContain(Object.keys(changes)[0]);
  });
});

describe("files that are not those of the manifest are refused", () => {
  it.each([WEIGHTS, CONFIG, "manifest.json"])("%s", async (file) => {
    const adapter = await registerAdapter(home, base, { name: `a${name}`, from });
    const path = join(home.adapterFolder(adapter.adapterHash), file);
    const bytes = await readFile(path);
    if (file === WEIGHTS) bytes.writeUInt8(bytes.readUInt8(bytes.length - 4) ^ 1, bytes.length - 4);
    const text = bytes.toString().replace('"sft"', '"dpo"').replace('"task_type"', '"task_kind"');
    await writeFile(path, file === WEIGHTS ? bytes : text);
    const refused = checkAdapterFiles(home, { adapter, base });
    await expect(refused).rejects.toMatchObject({ code: "ADAPTER_CHANGED", details: { where: path } });
  });

  it("one of another base", async () => {
    const adapter = await registerAdapter(home, base, { name: `a${name}`, from });
    const other = { ...base, baseHash: "f".repeat(64) as BaseManifest["baseHash"] };
    await expect(checkAdapterFiles(home, { adapter, base: other })).rejects.toMatchObject({
      code: "ADAPTER_OF_ANOTHER_BASE",
    });
  });

  it.each([
    [CONFIG, "the adapter's configuration"],
    [WEIGHTS, "the adapter's weights as safetensors"],
  ])("without %s, which is told as what it is", async (file, expected) => {
    const adapter = await registerAdapter(home, base, { name: `a${name}`, from });
    const path = join(home.adapterFolder(adapter.adapterHash), file);
    await rm(path);
    await expect(checkAdapterFiles(home, { adapter, base })).rejects.toMatchObject({
      ...{ code: "MISSING_FILE", message: "A file cannot be opened.", details: { expected, where: path } },
    });
  });

  it("a pickle beside the weights, which a loader could prefer", async () => {
    const adapter = await registerAdapter(home, base, { name: `a${name}`, from });
    await writeFile(join(home.adapterFolder(adapter.adapterHash), "adapter_model.bin"), "");
    const refused = checkAdapterFiles(home, { adapter, base });
    await expect(refused).rejects.toMatchObject({ code: "UNSAFE_ADAPTER_FILE", details: { got: "adapter_model.bin" } });
    await expect(startServer({ home, base: "tiny", adapters: [`a${name}`], threads: 1 })).rejects.toMatchObject({
      code: "UNSAFE_ADAPTER_FILE",
    });
  });
});
