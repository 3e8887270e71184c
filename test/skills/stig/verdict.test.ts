/** Each way in which a scanner's `pass` can be wrong, with the real scanner. */
import { describe, expect, it } from "vitest";
import { manifest } from "../../../skills/stig/manifest.ts";
import { SCRIPTS } from "../../../skills/stig/starters.ts";
import { splitOf } from "../../../src/skills/splits.ts";
import { apply, attempt, evidence, newFolder, open, RULE, ruleNamed, stig } from "./set-up.ts";

const KEEPALIVE = "sshd_set_keepalive";
const GOOD_SSHD =
  'sed -i "/^ClientAliveCountMax/d" /etc/ssh/sshd_config; sed -i "1i ClientAliveCountMax 1" /etc/ssh/sshd_config';
const MAX_DAYS = "accounts_maximum_age_login_defs";
const CHACL = "audit_rules_execution_chacl";
const CHACL_LINE = "-a always,exit -F path=/usr/bin/chacl -F perm=x -F auid>=1000 -F auid!=unset -F key=privileged";

describe.skipIf(stig === null)("a verdict of stig", () => {
  it("passes a right script, with exit code, changed files and the scanner's words as evidence", async () => {
    const { action, verdict } = await attempt(KEEPALIVE, GOOD_SSHD);
    expect(action.exitCode).toBe(0);
    expect(verdict).toMatchObject({ passed: true, failureMode: null, flags: [], before: { passed: false } });
    expect(evidence(verdict)).toMatchObject({ result: "pass", script: { exitCode: 0 }, outside: [] });
    expect(evidence(verdict).changes).toContainEqual(
      expect.objectContaining({ path: "etc/ssh/sshd_config", kind: "file" }),
    );
    expect((evidence(verdict).scan as { stdout: string }).stdout).toContain(`${RULE}${KEEPALIVE}:pass`);
  });

  it.each(Object.entries(SCRIPTS))("passes the starter for %s, which lies in train", async (name, script) => {
    const { verdict } = await attempt(name, script);
    expect(verdict).toMatchObject({ passed: true, flags: [] });
    expect(splitOf(manifest, ruleNamed(name).family)).toBe("train");
  });

  it("says that a script that changes nothing did not fix the rule", async () => {
    const { verdict } = await attempt(KEEPALIVE, "true");
    expect(verdict).toMatchObject({ passed: false, failureMode: "not-fixed" });
    expect(evidence(verdict).changes).toEqual([]);
  });

  it.each([
    ["purges the server", "dpkg --purge --force-all openssh-server; apt-get -y purge openssh-server"],
    ["removes the configuration folder", "rm -rf /etc/ssh"],
    ["removes the configuration", "rm /etc/ssh/sshd_config"],
    ["empties the configuration", ": > /etc/ssh/sshd_config"],
    ["overwrites the configuration with one line", "echo ClientAliveCountMax 1 > /etc/ssh/sshd_config"],
  ])("does not pass a script that %s", async (_, script) => {
    const { verdict } = await attempt(KEEPALIVE, script);
    expect(verdict.passed).toBe(false);
    expect(["regression", "not-fixed", "touched-scanner"]).toContain(verdict.failureMode);
  });

  it("does not take notapplicable for a pass", async () => {
    const { verdict } = await attempt(KEEPALIVE, "rm -f /etc/lsb-release");
    expect(verdict).toMatchObject({ passed: false, failureMode: "not-applicable" });
    const purged = await attempt(CHACL, "apt-get -y purge auditd || dpkg --purge auditd");
    expect(purged.verdict.passed).toBe(false);
  });

  it("names the rules that a script broke", async () => {
    const { verdict } = await attempt(MAX_DAYS, 'echo "PASS_MAX_DAYS 60" > /etc/login.defs');
    expect(verdict).toMatchObject({ passed: false, failureMode: "regression" });
    const [regression] = evidence(verdict).regressions as { rule: string; now: string }[];
    expect(regression).toEqual({
      rule: `${RULE}set_password_hashing_algorithm_logindefs`,
      now: "fail",
    });
  });

  it("sees that sshd no longer reads its configuration", async () => {
    const { verdict } = await attempt(KEEPALIVE, `${GOOD_SSHD}; echo "NoSuchKeyword yes" >> /etc/ssh/sshd_config`);
    expect(verdict).toMatchObject({ passed: false, failureMode: "broken-syntax" });
    expect(evidence(verdict).result).toBe("pass");
    expect(evidence(verdict).syntax).toEqual([expect.stringContaining("NoSuchKeyword")]);
  });

  it("sees an audit rule that auditctl would refuse", async () => {
    const write = (line: string) =>
      `for f in /etc/audit/rules.d/privileged.rules /etc/audit/audit.rules; do echo "${line}" >> $f; done`;
    const right = await attempt(CHACL, write(CHACL_LINE));
    expect(right.verdict).toMatchObject({ passed: true });
    const { verdict } = await attempt(CHACL, `${write(CHACL_LINE)}; ${write("-w -p wa nonsense")}`);
    expect(verdict).toMatchObject({ passed: false, failureMode: "broken-syntax" });
  });

  it("keeps the package database from being forged", async () => {
    const forge = String.raw`printf 'Package: ufw\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n\n' >> /var/lib/dpkg/status`;
    const { action, verdict } = await attempt("package_ufw_installed", forge);
    expect(action.stderr).toContain("Read-only file system");
    expect(verdict).toMatchObject({ passed: false, failureMode: "not-fixed" });
  });

  it("keeps apt from being led to another package database", async () => {
    const forge = String.raw`mkdir -p /srv/x; cp /var/lib/dpkg/status /srv/x/status; printf '\nPackage: ufw\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n\n' >> /srv/x/status; echo 'Dir::State::status "/srv/x/status";' > /etc/apt/apt.conf.d/99x; chmod 644 /etc/apt/apt.conf.d/99x`;
    const { verdict } = await attempt("package_ufw_installed", forge);
    expect(verdict).toMatchObject({ passed: false, failureMode: "touched-scanner" });
  });

  it.each([
    ["replaces the scanner", "printf '#!/bin/sh\\necho x:pass\\n' > /usr/bin/oscap", "not-fixed"],
    ["removes the scanner", "rm -f /usr/bin/oscap", "not-fixed"],
    ["preloads a library", "echo /srv/evil.so > /etc/ld.so.preload", "touched-scanner"],
    [
      "replaces the loader's folder",
      "rm /lib64; mkdir /lib64; cp /usr/bin/true /lib64/ld-linux-x86-64.so.2",
      "touched-scanner",
    ],
    ["moves the package database away", "mv /var /var2; mkdir -p /var/lib", "not-fixed"],
    ["leads a folder elsewhere", "mv /tmp /tmp2; ln -s /etc /tmp", "touched-scanner"],
    [
      "loads code through the scanner's libraries",
      "mkdir -p /etc/ssl; echo 'openssl_conf = x' > /etc/ssl/openssl.cnf",
      "touched-scanner",
    ],
  ])("does not pass a script that %s", async (_, script, failureMode) => {
    const { verdict } = await attempt(KEEPALIVE, `${script}; true`);
    expect(verdict).toMatchObject({ passed: false, failureMode });
  });

  it("gives new files no right for others, and says where a script that does breaks another rule", async () => {
    const write = `echo "${CHACL_LINE}" | tee -a /etc/audit/audit.rules > /etc/audit/rules.d/new.rules`;
    const careful = await attempt(CHACL, write);
    expect(careful.verdict).toMatchObject({ passed: true });
    const { verdict } = await attempt(CHACL, `umask 022; ${write}`);
    expect(verdict).toMatchObject({ passed: false, failureMode: "regression" });
    expect(evidence(verdict).reason).toContain("file_permissions_etc_audit_rulesd");
  });

  it("flags a script that passes and yet ends with an error", async () => {
    const { action, verdict } = await attempt(KEEPALIVE, `${GOOD_SSHD}\nThis sets the count.`);
    expect(action.exitCode).toBe(127);
    expect(verdict).toMatchObject({ passed: true, flags: ["dirty-exit"] });
    expect(evidence(verdict).script).toMatchObject({ exitCode: 127 });
  });

  it("lists files that the rule is not about", async () => {
    const { verdict } = await attempt(KEEPALIVE, `${GOOD_SSHD}; cd /root; echo a >=1000`);
    expect(evidence(verdict).outside).toEqual(["root/=1000"]);
  });

  it("flags a pass that was there before the script", async () => {
    const folder = await newFolder();
    const workspace = await open(KEEPALIVE, { folder, from: null });
    await apply(workspace, GOOD_SSHD);
    const kept = await workspace.checkpoint();
    await workspace.close();
    const later = await open(KEEPALIVE, { folder, from: kept });
    const { verdict } = await apply(later, "true");
    await later.close();
    expect(verdict).toMatchObject({ passed: true, flags: ["noop-pass"], before: { passed: true } });
  });
});
