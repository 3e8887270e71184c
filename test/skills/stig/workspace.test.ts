/** States that are kept, taken back and taken on; a harness that is killed; an environment that breaks. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { fixCall } from "../../../skills/stig/parse-answer.ts";
import type { SetUp } from "../../../skills/stig/setup-folder.ts";
import { openWorkspace } from "../../../skills/stig/workspace.ts";
import { leftBy } from "./left-by.ts";
import { apply, newFolder, open, ruleNamed, stig } from "./set-up.ts";

const KEEPALIVE = "sshd_set_keepalive";
const X11 = "sshd_disable_x11_forwarding";
const line = (text: string) => `sed -i -e "/^${text.split(" ")[0]}/d" -e "1i ${text}" /etc/ssh/sshd_config`;

describe.skipIf(stig === null)("a workspace of stig", () => {
  it("goes back to the root as it was set up", async () => {
    const workspace = await open(KEEPALIVE);
    const start = await workspace.checkpoint();
    await workspace.act(fixCall("echo x > /etc/mark; rm /etc/issue"));
    await workspace.restore(start);
    const { stdout } = await workspace.act(fixCall("ls /etc/mark /etc/issue 2>/dev/null"));
    await workspace.close();
    expect(stdout).toBe("/etc/issue\n");
  });

  it("keeps a state with its removed files, which another workspace goes on from", async () => {
    const folder = await newFolder();
    const first = await open(KEEPALIVE, { folder, from: null });
    const { verdict } = await apply(first, `${line("ClientAliveCountMax 1")}; rm /etc/issue`);
    expect(verdict.passed).toBe(true);
    const kept = await first.checkpoint();
    await first.close();
    expect(statSync(join(folder, kept)).mode & 0o777).toBe(0o700);
    const second = await open(X11, { folder, from: kept });
    const later = await apply(second, `${line("X11Forwarding no")}; ls /etc/issue`);
    expect(later.action.stderr).toContain("No such file");
    expect(later.verdict).toMatchObject({ passed: true, before: { passed: false } });
    expect(await second.checkpoint()).not.toBe(kept);
    await second.restore(kept);
    const { stdout } = await second.act(
      fixCall("grep -c '^X11Forwarding no' /etc/ssh/sshd_config; grep -c 'CountMax 1' /etc/ssh/sshd_config"),
    );
    await second.close();
    expect(stdout).toBe("0\n1\n");
  });

  it("counts undoing an earlier item's fix as a regression", async () => {
    const folder = await newFolder();
    const first = await open(KEEPALIVE, { folder, from: null });
    await apply(first, line("ClientAliveCountMax 1"));
    const kept = await first.checkpoint();
    await first.close();
    const second = await open(X11, { folder, from: kept });
    const { verdict } = await apply(second, `sed -i "/CountMax 1/d" /etc/ssh/sshd_config; ${line("X11Forwarding no")}`);
    await second.close();
    expect(verdict).toMatchObject({ passed: false, failureMode: "regression" });
    expect(JSON.stringify(verdict.evidence)).toContain("sshd_set_keepalive");
  });

  it("fails at its boundary where a state is not kept", async () => {
    await expect(open(KEEPALIVE, { folder: await newFolder(), from: "state-00" })).rejects.toThrow("no state state-00");
  });

  it("is sound as set up, and says so where the scanner does not work", async () => {
    const workspace = await open(KEEPALIVE);
    expect(await workspace.health?.()).toBeNull();
    await workspace.close();
    const { setup, folders } = stig as SetUp;
    const broken = { setup, folders: { ...folders, content: mkdtempSync(join(tmpdir(), "tracemill-no-content-")) } };
    const blind = await openWorkspace(ruleNamed(KEEPALIVE), { folder: await newFolder(), from: null }, broken);
    expect(await blind.health?.()).toContain("the scanner ended with");
    await expect(apply(blind, line("ClientAliveCountMax 1"))).rejects.toThrow("The scanner does not work");
    await blind.close();
  });
});

describe.skipIf(stig === null)("a kept state", () => {
  it("is sound while it gives its rule the result that was kept with it, and no longer", async () => {
    const folder = await newFolder();
    const first = await open(KEEPALIVE, { folder, from: null });
    await apply(first, line("ClientAliveCountMax 1"));
    expect(await first.health?.()).toBeNull();
    const from = await first.checkpoint();
    await first.close();
    const sound = await open(KEEPALIVE, { folder, from });
    expect(await sound.health?.()).toBeNull();
    await sound.close();
    rmSync(join(folder, from, "upper/etc/ssh/sshd_config"));
    const damaged = await open(KEEPALIVE, { folder, from });
    expect(await damaged.health?.()).toBe("the workspace gives fail for the rule where pass was kept with it");
    await damaged.close();
  });
});

describe.skipIf(stig === null)("a workspace that is open", () => {
  it("is seen by what looks for what is left: its process, its mounts and its control groups", async () => {
    const workspace = await open(KEEPALIVE);
    const left = leftBy(process.pid).map((one) => one.replace(/ ?\S+$/, ""));
    expect(new Set(left)).toEqual(new Set(["process", "mount in", ""]));
    await workspace.close();
  });
});

describe.skipIf(stig === null)("a killed harness", () => {
  const folder = mkdtempSync(join(tmpdir(), "tracemill-killed-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([50, 200, 350, 500, 800, 1300])(
    "leaves no process, mount or control group, killed %i ms after it began",
    async (delayMs) => {
      const mark = `stig-killed-${process.pid}-${delayMs}`;
      const child = spawn(process.execPath, [join(import.meta.dirname, "working-process.ts"), folder, mark], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      await sleep(delayMs);
      child.kill("SIGKILL");
      await once(child, "exit");
      for (let waits = 0; waits < 50 && leftBy(child.pid as number, { mark }).length > 0; waits++) await sleep(100);
      expect(leftBy(child.pid as number, { mark })).toEqual([]);
    },
  );
});
