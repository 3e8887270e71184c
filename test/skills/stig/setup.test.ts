/** The commands that set the skill up, and what they say where something is missing. */
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { stig } from "./set-up.ts";

const BIN = join(import.meta.dirname, "../../../bin/tracemill.js");

function tracemill(args: string[], env: Record<string, string>) {
  return execa(process.execPath, [BIN, ...args], { env, reject: false });
}

const IS_ROOT = process.getuid?.() === 0;
if (!IS_ROOT) console.log("skipped: only root can run the doctor as another user");
const RUN = ["run", "--skill", "stig", "--model", "x", "--endpoint", "http://127.0.0.1:9/v1", "--role", "worker=model"];

describe("the skill stig where it is not set up", () => {
  const env = { TRACEMILL_CACHE: mkdtempSync(join(tmpdir(), "tracemill-no-cache-")) };

  it("is told by the doctor, with the command that sets it up", async () => {
    const { exitCode, stdout } = await tracemill(["skill", "doctor", "stig"], env);
    expect(exitCode).toBe(3);
    expect(stdout).toContain("MISSING  the set-up root");
    expect(stdout).toContain("-> tracemill skill setup stig");
  });

  it.skipIf(!IS_ROOT)("is told to need root, and what works instead", async () => {
    const user = { uid: 65_534, gid: 65_534, reject: false as const, env: { ...env, HOME: "/" } };
    const { exitCode, stdout } = await execa(process.execPath, [BIN, "skill", "doctor", "stig"], user);
    expect(exitCode).toBe(3);
    expect(stdout).toContain("MISSING  root, for overlay mounts: user 65534");
    expect(stdout).toContain("the skill sql works everywhere");
  });

  it("refuses a run with that command", async () => {
    const { exitCode, stderr } = await tracemill(RUN, env);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("tracemill skill setup stig");
  });

  it.skipIf(stig === null)(
    "refuses a tarball that is no root, and leaves nothing behind, not even of one that was killed",
    async () => {
      mkdirSync(join(env.TRACEMILL_CACHE, "stig", "1.tmp-0123456789ab", "root"), { recursive: true });
      const tarball = join(env.TRACEMILL_CACHE, "x.tar");
      writeFileSync(tarball, "no tar");
      const { exitCode, stderr } = await tracemill(["skill", "setup", "stig", "--from", tarball], env);
      expect(exitCode).toBe(2);
      expect(stderr).toContain("BAD_TARBALL");
      expect(readdirSync(join(env.TRACEMILL_CACHE, "stig"))).toEqual([]);
    },
  );
});

describe("tracemill skill", () => {
  it("lists the skills", async () => {
    const { stdout } = await tracemill(["skill", "list", "--json"], {});
    expect(JSON.parse(stdout).skills.map(({ id }: { id: string }) => id)).toEqual(["cron", "sql", "stig"]);
  });

  it("says that a skill needs nothing", async () => {
    expect((await tracemill(["skill", "doctor", "sql"], {})).stdout).toBe("sql: needs nothing");
    expect((await tracemill(["skill", "setup", "sql"], {})).stdout).toBe("sql: needs no setup");
  });

  it("asks which skill", async () => {
    const { exitCode, stderr } = await tracemill(["skill", "setup"], {});
    expect(exitCode).toBe(2);
    expect(stderr).toContain("BAD_ARGUMENT");
  });
});
