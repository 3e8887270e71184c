/**
 * Nothing leaves the host: the whole loop passes inside a network namespace that has only loopback.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";
import { tinyBase } from "./fixtures/tiny-base.ts";

const resultSchema = z.object({
  runs: z.object({ train: z.string(), validation: z.string() }),
  datasetHash: z.string(),
  adapterHash: z.string(),
  decision: z.looseObject({ verdict: z.enum(["better", "worse", "inconclusive"]) }),
  stages: z.record(z.string(), z.unknown()),
});

const python = join(PACKAGE_FOLDER, ".venv", "bin", "python");

/** Brings loopback up without any network tool (SIOCSIFFLAGS with IFF_UP | IFF_RUNNING), then becomes the command. */
const LOOPBACK_UP = `
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))
os.execvp(sys.argv[1], sys.argv[1:])
`;

function isolated(command: string[], options: { env?: Record<string, string> } = {}) {
  const asRoot = process.getuid?.() === 0 ? ["-n"] : ["-rn"];
  return execa("unshare", [...asRoot, python, "-c", LOOPBACK_UP, ...command], {
    reject: false,
    cwd: PACKAGE_FOLDER,
    ...options,
  });
}

const probe = await isolated([process.execPath, "-e", "process.exit(0)"]);
const canIsolate = probe.exitCode === 0;
if (!canIsolate) console.log(`skipped: no network namespace can be made here (${probe.stderr || probe.shortMessage})`);

describe.skipIf(!canIsolate)("inside a network namespace that has only loopback", () => {
  let home: string;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "tracemill-offline-"));
  });

  afterAll(() => rm(home, { recursive: true, force: true }));

  it("a call to any other address fails, and one to loopback does not", async () => {
    const script = `
      const net = require("node:net");
      const reach = (host, port) => new Promise((done) => {
        const socket = net.connect({ host, port, timeout: 3000 });
        socket.on("connect", () => done("connected")).on("error", (e) => done(e.code)).on("timeout", () => done("timeout"));
      });
      const server = net.createServer().listen(0, "127.0.0.1", async () => {
        const own = await reach("127.0.0.1", server.address().port);
        const outside = await reach("192.0.2.1", 80);
        console.log(JSON.stringify({ own, outside }));
        process.exit(0);
      });`;
    const { stdout } = await isolated([process.execPath, "-e", script]);
    expect(JSON.parse(stdout)).toEqual({ own: "connected", outside: "ENETUNREACH" });
  });

  it("the whole loop comes to a decision, and goes on where it was when it is called again", async () => {
    const base = await tinyBase();
    const env = { TRACEMILL_HOME: home, TRACEMILL_SKILLS: join(PACKAGE_FOLDER, "test", "fixtures", "skills") };
    const tracemill = (...words: string[]) => isolated([process.execPath, "bin/tracemill.js", ...words], { env });

    const added = await tracemill("base", "add", "tiny", "--hf", base.hf, "--gguf", base.gguf);
    expect(added).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("tiny") });

    const words = ["loop", "--preset", "tiny", "--skill", "parity", "--base", "tiny", "--json"];
    const first = await tracemill(...words);
    expect(first.stderr).toBe("");
    const result = resultSchema.parse(JSON.parse(first.stdout));
    expect(first.exitCode).toBe(result.decision.verdict === "better" ? 0 : 4);
    expect(Object.keys(result.stages)).toEqual(["base", "collect", "watch", "export", "train", "validate"]);

    const report = await readFile(join(home, "report.md"), "utf8");
    expect(report).toContain(`**${result.decision.verdict}: first-try success`);
    for (const place of [result.datasetHash, result.adapterHash, result.runs.train]) expect(report).toContain(place);

    const verified = await tracemill("verify");
    expect(verified.exitCode).toBe(0);

    const again = await tracemill(...words);
    expect(resultSchema.parse(JSON.parse(again.stdout))).toEqual(result);

    const status = await tracemill("status");
    expect(status.stdout).toContain(result.decision.verdict);
    expect(status.stdout).toContain("next: tracemill serve --base tiny");

    const query = "SELECT count(*) AS n FROM parity.attempts WHERE eval_passed IS NULL";
    const unjudged = await tracemill("sql", query, "--json");
    expect(JSON.parse(unjudged.stdout)).toMatchObject({ rows: [{ n: 0 }] });
  }, 900_000);
});
