/** The commands that set the skill up, and what they say where something is missing. */
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { setupFolder } from "../../../skills/stig/setup-folder.ts";
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

describe.skipIf(stig === null)("the skill stig where it is set up", () => {
  /** The set-up folder under another cache, its root shared and its content its own. */
  function anotherCache(): { env: Record<string, string>; content: string } {
    const cache = mkdtempSync(join(tmpdir(), "tracemill-cache-"));
    const folder = join(cache, "stig", "1");
    mkdirSync(folder, { recursive: true });
    for (const name of ["mount", "content", "setup.json"]) {
      cpSync(join(setupFolder(), name), join(folder, name), { recursive: true });
    }
    symlinkSync(join(setupFolder(), "root"), join(folder, "root"));
    return { env: { TRACEMILL_CACHE: cache }, content: join(folder, "content") };
  }

  it("refuses content that is not as the setup left it, and names the file", async () => {
    const { env, content } = anotherCache();
    expect((await tracemill(["skill", "doctor", "stig"], env)).exitCode).toBe(0);
    const [name = ""] = readdirSync(content);
    appendFileSync(join(content, name), "<!-- -->");
    const run = await tracemill(RUN, env);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain("BAD_SETUP");
    expect(run.stderr).toContain(join(content, name));
    const doctor = await tracemill(["skill", "doctor", "stig"], env);
    expect(doctor.exitCode).toBe(3);
    expect(doctor.stdout).toContain("MISSING  the set-up root and content");
  });

  it("refuses a tarball that would not be used, and one that is not there", async () => {
    const { env, content } = anotherCache();
    const setup = (from: string) => tracemill(["skill", "setup", "stig", "--from", from], env);
    expect((await setup(join(content, "all.xml"))).stderr).toContain("ALREADY_SET_UP");
    const { exitCode, stderr } = await setup("/nonexistent.tgz");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("NO_TARBALL");
  });

  it("is told which of the kernel's parts this machine refuses", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tracemill-mount-"));
    const mount = join(folder, "mount");
    cpSync("/usr/bin/mount", join(folder, "real"));
    writeFileSync(
      mount,
      `#!/bin/sh\ncase "$*" in *overlay*) echo refused >&2; exit 32;; *) exec ${folder}/real "$@";; esac\n`,
    );
    chmodSync(mount, 0o755);
    const missing = async (words: string[]) => {
      const { stdout } = await execa(
        "unshare",
        ["--mount", "--", ...words, process.execPath, BIN, "skill", "doctor", "stig"],
        { reject: false },
      );
      return stdout.split("\n").filter((line) => line.startsWith("MISSING"));
    };
    const replaced = ["sh", "-c", `mount --bind ${mount} /bin/mount && exec "$@"`, "sh"];
    const without = (capability: string) => ["setpriv", `--bounding-set=-${capability}`, `--inh-caps=-${capability}`];
    expect(await missing(replaced)).toEqual(["MISSING  overlay mounts: refused"]);
    expect(await missing(without("net_admin"))).toEqual([expect.stringContaining("MISSING  network namespaces: ")]);
    expect((await missing(without("sys_admin"))).map((line) => line.split(":")[0])).toEqual([
      "MISSING  mount namespaces",
      "MISSING  overlay mounts",
      "MISSING  process namespaces",
      "MISSING  network namespaces",
    ]);
  });
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
