/** Input that means harm, or that no program wrote: a reason that names the limit, and the rest goes on. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import zlib from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import type { ImportReport } from "../../../src/capture/import-files.ts";
import { MOST_DOCUMENT_BYTES } from "../../../src/capture/reading/json.ts";
import { MOST_SESSION_BYTES } from "../../../src/capture/sessions/session-tree.ts";
import { openLake } from "../../../src/store/lake.ts";
import { listRuns } from "../../../src/store/runs.ts";
import { verifyHome } from "../../../src/store/verify.ts";
import { folder, freshFolders, home, imported, importInto, SAMPLES } from "./setting.ts";
import { HAS_ZSTD } from "./zip-files.ts";

freshFolders();

afterEach(async () => {
  expect(await verifyHome(home)).toMatchObject({ isSound: true });
});

const GOOD = '{"id":"good","messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}\n';

async function beside(line: string | Buffer): Promise<ImportReport> {
  const file = join(folder, "rows.jsonl");
  writeFileSync(file, Buffer.concat([Buffer.from(GOOD), Buffer.from(line as string), Buffer.from(`\n${GOOD}`)]));
  const report = await importInto(home, file, { format: "openai-chat" });
  expect(report.imported[0]?.attempts).toBeGreaterThanOrEqual(2);
  return report;
}

const row = (content: string) =>
  `{"id":"odd","messages":[{"role":"user","content":${content}},{"role":"assistant","content":"a"}]}`;

describe("a line that nobody can use", () => {
  it.each([
    ["nested a million deep", `${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`, "nested more than 100 deep"],
    ["of bytes that are no UTF-8", Buffer.from([0x22, 0xff, 0xfe, 0x22]), "it is not UTF-8"],
    ["with a raw NUL", Buffer.from('{"a":"\u0000"}'), "it is not JSON"],
    ["with half of a surrogate pair", row('"\\ud800"'), "half of a surrogate pair"],
    ["with a number beyond all numbers", '{"messages":[{"role":"user","content":"q"}],"reward":1e999}', "out of range"],
    ["with a message that is none", '{"messages":[7]}', "no `messages` with roles"],
  ])("%s is counted with its place", async (_, line, reason) => {
    const report = await beside(line);
    expect(report.rejected).toEqual([
      { reason: expect.stringContaining(reason), count: 1, where: [expect.stringMatching(/rows\.jsonl:2$/)] },
    ]);
  });

  it("of more bytes than one may have is passed over, with the limit", { timeout: 60_000 }, async () => {
    const file = join(folder, "rows.jsonl");
    const fd = openSync(file, "w");
    writeSync(fd, GOOD);
    for (let i = 0; i < 100; i++) writeSync(fd, Buffer.alloc(1 << 20, 120));
    writeSync(fd, `\n${GOOD}`);
    const report = await importInto(home, file, { format: "openai-chat" });
    expect(report.imported[0]?.attempts).toBe(2);
    expect(report.rejected).toMatchObject([{ reason: "the line has more than 67108864 bytes", count: 1 }]);
  });
});

it.each([
  ["inspect", "plums.json", "inspect/plums.json", MOST_DOCUMENT_BYTES],
  ["swe-agent", "a.traj", "swe-agent/runs/ada__abacus-9.traj", MOST_DOCUMENT_BYTES],
  ["mini-swe-agent", "a.traj.json", "mini-swe-agent/bare.traj.json", MOST_DOCUMENT_BYTES],
  ["harbor", "alone.json", "harbor/alone.json", MOST_DOCUMENT_BYTES],
  ["otel", "printed.json", "otel/printed.json", MOST_DOCUMENT_BYTES],
  ["langfuse", "trace.json", "langfuse/trace-t-bake.json", MOST_DOCUMENT_BYTES],
  ["pi", "pi.jsonl", "pi/2025-11-20_pi-0002.jsonl", MOST_SESSION_BYTES],
])(
  "a file of %s that is one document or session of more than its limit is refused with it",
  async (format, name, sample, most) => {
    const file = join(folder, name);
    cpSync(join(SAMPLES, sample), file);
    expect(await importInto(home, file, { format })).toMatchObject({ rejected: [] });
    truncateSync(file, most + 1); // the rest is a hole: no disk is written
    const report = await importInto(home, file, { format });
    expect(report.imported).toEqual([]);
    expect(report.rejected).toContainEqual({
      reason: `it has ${most + 1} bytes, more than ${most}`,
      count: 1,
      where: [file],
    });
  },
);

it.skipIf(!HAS_ZSTD)(
  "a file that unpacks to more than one may is refused with the limit",
  { timeout: 60_000 },
  async () => {
    const name = "rollout-2026-03-04T09-00-00-0199a213-0000-7000-8000-0000000000a1.jsonl";
    cpSync(join(SAMPLES, "codex", "sessions/2026/03/04", name), join(folder, name));
    const bomb = join(folder, "rollout-bomb.jsonl.zst");
    const frame = zlib.zstdCompressSync(Buffer.alloc(MOST_SESSION_BYTES / 8, 10));
    writeFileSync(bomb, Buffer.concat(Array(9).fill(frame)));
    expect(statSync(bomb).size).toBeLessThan(1 << 20);
    const report = await importInto(home, folder, { format: "codex" });
    expect(report.imported).toHaveLength(1);
    const reason = `it cannot be unpacked: it has more than ${MOST_SESSION_BYTES} bytes`;
    expect(report.rejected).toContainEqual({ reason, count: 1, where: [bomb] });
  },
);

describe("a line that looks harmful and is only odd", () => {
  it("with a NUL, escapes and keys of objects is kept as it is, in the lake too", async () => {
    const odd = 'a\u0000b\u001b[31m"__proto__"';
    const report = await beside(
      `{"id":"odd","__proto__":{"x":1},"constructor":"c","messages":[{"role":"user","content":${JSON.stringify(odd)}},{"role":"assistant","content":"a"}]}`,
    );
    expect(report.rejected).toEqual([]);
    const { turns } = await imported(home, report);
    expect(turns.map(({ messages }) => messages[0]?.content)).toContain(odd);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
    const lake = await openLake(home);
    expect(await lake.query("SELECT count(*) AS n FROM attempts")).toEqual([{ n: 3 }]);
    lake.close();
  });

  it("with a key twice has the last one", async () => {
    const { turns } = await imported(home, await beside(row('"first","content":"last"')));
    expect(turns.map(({ messages }) => messages[0]?.content)).toContain("last");
  });

  it("with a time out of this century has none", async () => {
    await beside(`${row('"q"').slice(0, -1)},"created_at":"+099999-01-01T00:00:00Z"}`);
    await beside(`${row('"q2"').slice(0, -1)},"created_at":-1e300}`);
    for (const { startedAt } of await listRuns(home)) expect(startedAt).toMatch(/^20\d\d-/);
  });

  it("whose item is named like a path is an item and no path", async () => {
    const report = await beside(row('"q"').replace('"odd"', '"../../../../etc/passwd"'));
    expect(report.imported).toHaveLength(1);
    const lake = await openLake(home);
    const rows = await lake.query("SELECT item FROM items ORDER BY 1");
    lake.close();
    expect(rows).toEqual([{ item: "chat:../../../../etc/passwd" }, { item: "chat:good" }]);
  });
});

describe("a folder", () => {
  it("with links to itself and elsewhere is read without them", async () => {
    writeFileSync(join(folder, "rows.jsonl"), GOOD);
    symlinkSync(folder, join(folder, "again"));
    symlinkSync("/etc", join(folder, "elsewhere"));
    expect(await importInto(home, folder)).toMatchObject({ files: 1, passedOver: [], rejected: [] });
  });

  it("or a file that is named by a link is what the link leads to", async () => {
    mkdirSync(join(folder, "runs"));
    writeFileSync(join(folder, "runs", "rows.jsonl"), GOOD);
    symlinkSync(join(folder, "runs"), join(folder, "link"));
    symlinkSync(join(folder, "runs", "rows.jsonl"), join(folder, "link.jsonl"));
    expect(await importInto(home, join(folder, "link"))).toMatchObject({ files: 1, imported: [{ attempts: 1 }] });
    expect(await importInto(home, join(folder, "link.jsonl"), { format: "openai-chat" })).toMatchObject({ files: 1 });
  });

  it("has its files of other programs and what is compressed counted by name", async () => {
    writeFileSync(join(folder, "a.jsonl"), GOOD);
    writeFileSync(join(folder, "b.jsonl.gz"), zlib.gzipSync(GOOD));
    writeFileSync(join(folder, "notes.txt"), "nothing");
    for (const name of ["c.jsonl", "d.jsonl"]) cpSync(join(SAMPLES, "pi/2025-11-20_pi-0002.jsonl"), join(folder, name));
    const report = await importInto(home, folder, { format: "openai-chat" });
    expect(report).toMatchObject({ files: 1, others: { pi: 2, compressed: 1 } });
    expect(report.passedOver).toHaveLength(4);
    await expect(importInto(home, join(folder, "b.jsonl.gz"), { format: "openai-chat" })).rejects.toMatchObject({
      code: "PACKED_FILE",
    });
    await expect(importInto(home, join(folder, "b.jsonl.gz"))).rejects.toMatchObject({ code: "PACKED_FILE" });
  });

  it("has a file whose first line is cut among its others, and that line rejected", async () => {
    writeFileSync(join(folder, "a.jsonl"), GOOD);
    writeFileSync(join(folder, "b.jsonl"), `{"id": "x", "messa\n${GOOD}${GOOD}`);
    const report = await importInto(home, folder, { format: "openai-chat" });
    expect(report).toMatchObject({ files: 2, passedOver: [], imported: [{ attempts: 1 }, { attempts: 2 }] });
    expect(report.rejected).toEqual([{ reason: "it is not JSON", count: 1, where: [`${join(folder, "b.jsonl")}:1`] }]);
  });

  it("rejects a file whose first line, which alone could tell its format, is cut", async () => {
    writeFileSync(join(folder, "a.jsonl"), GOOD);
    writeFileSync(join(folder, "b.jsonl"), '{"type": "session", "id\n{"type":"message","id":"m1","parentId":null}\n');
    writeFileSync(join(folder, "c.txt"), "{no lines of JSON\n");
    const report = await importInto(home, folder, { format: "openai-chat" });
    expect(report.passedOver).toEqual([join(folder, "b.jsonl"), join(folder, "c.txt")]);
    expect(report.rejected).toMatchObject([{ count: 1, where: [`${join(folder, "b.jsonl")}:1`] }]);
  });

  it("with nothing that is known, or that is not there, is refused by name", async () => {
    writeFileSync(join(folder, "notes.txt"), "nothing");
    await expect(importInto(home, folder)).rejects.toMatchObject({ code: "FORMAT_NOT_CLEAR" });
    mkdirSync(join(folder, "empty"));
    await expect(importInto(home, join(folder, "empty"))).rejects.toMatchObject({ code: "NOTHING_TO_IMPORT" });
    await expect(importInto(home, "/dev/null")).rejects.toMatchObject({
      ...{ code: "NOTHING_TO_IMPORT", message: "This is neither a file nor a folder." },
    });
    await expect(importInto(home, folder, { format: "inspect" })).rejects.toMatchObject({ code: "NOTHING_TO_IMPORT" });
    await expect(importInto(home, join(folder, "gone"))).rejects.toMatchObject({ code: "NO_SUCH_PATH" });
    await expect(importInto(home, folder, { format: "otell" })).rejects.toMatchObject({
      code: "UNKNOWN_FORMAT",
      details: { fix: expect.stringContaining("otel") },
    });
    expect(await listRuns(home)).toEqual([]);
  });
});

it("an import that is stopped leaves the runs that were whole, and no part of another", async () => {
  for (const name of ["a", "b"]) writeFileSync(join(folder, `${name}.jsonl`), GOOD.replace("good", name).repeat(2000));
  const stop = new AbortController();
  let seen = 0;
  const onProgress = () => {
    if (++seen === 3000) stop.abort(new Error("stopped"));
  };
  await expect(importInto(home, folder, { signal: stop.signal, onProgress })).rejects.toThrow("stopped");
  expect((await listRuns(home)).map(({ label, isSealed }) => [label, isSealed])).toEqual([["a.jsonl", true]]);
  const report = await importInto(home, folder);
  expect([report.known.length, report.imported.length]).toEqual([1, 1]);
});

it("an import whose process is killed leaves nothing in the store, and the next one clears up after it", {
  timeout: 60_000,
}, async () => {
  mkdirSync(home.path, { recursive: true });
  writeFileSync(
    join(home.path, "rows.jsonl"),
    Array.from({ length: 40_000 }, (_, i) => GOOD.replace("good", `t${i}`)).join(""),
  );
  const drafts = join(home.path, "imports");
  const script = join(import.meta.dirname, "../../fixtures/measured-process.ts");
  const importing = spawn(process.execPath, [script, "import", home.path], { stdio: "ignore" });
  await expect.poll(() => existsSync(drafts) && readdirSync(drafts).length, { timeout: 30_000, interval: 5 }).toBe(1);
  importing.kill("SIGKILL");
  await once(importing, "close");
  expect(await listRuns(home)).toEqual([]);
  expect(readdirSync(drafts)).toHaveLength(1);
  const report = await importInto(home, join(home.path, "rows.jsonl"));
  expect(report.imported).toMatchObject([{ attempts: 40_000 }]);
  expect(readdirSync(drafts)).toEqual([]);
});

it("a run whose import was killed before it was sealed is sealed by the next one", async () => {
  writeFileSync(join(folder, "rows.jsonl"), GOOD);
  await importInto(home, folder);
  rmSync(home.ledger);
  expect(await importInto(home, folder)).toMatchObject({ imported: [], known: [expect.any(String)] });
  expect(await listRuns(home)).toMatchObject([{ isSealed: true }]);
});

it("the runs of many files are all there, each once, whatever the number that is kept at a time", async () => {
  for (let i = 0; i < 37; i++) writeFileSync(join(folder, `${i}.jsonl`), GOOD.replace("good", `t${i}`));
  const first = await importInto(home, folder);
  const again = await importInto(home, folder);
  expect([first.imported.length, again.imported.length, again.known.length]).toEqual([37, 0, 37]);
  expect((await listRuns(home)).every(({ isSealed }) => isSealed)).toBe(true);
});
