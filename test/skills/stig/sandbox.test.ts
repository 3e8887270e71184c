/** What a hostile script gets: nothing of the host, no network, and an end. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { attempt, newFolder, open, stig } from "./set-up.ts";

const KEEPALIVE = "sshd_set_keepalive";

async function outputOf(script: string): Promise<string> {
  const { action, verdict } = await attempt(KEEPALIVE, script);
  expect(verdict.passed).toBe(false);
  return action.stdout + action.stderr;
}

/** Ids of processes whose command line holds a text. */
function processesWith(text: string): string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(text);
    } catch {
      return false;
    }
  });
}

describe.skipIf(stig === null)("the sandbox of stig", () => {
  it("shows nothing of the host", async () => {
    const secret = join(await newFolder(), "secret");
    writeFileSync(secret, "of the host");
    process.env.TRACEMILL_SECRET = "hidden-from-scripts";
    const said = await outputOf(
      `cat ${secret}; cat /proc/1/root${secret}; ls /proc/1/cwd/ | head; env; cat /etc/hostname`,
    );
    expect(said).not.toContain("of the host");
    expect(said).not.toContain("hidden-from-scripts");
    expect(said.match(/No such file or directory/g)?.length).toBeGreaterThanOrEqual(2);
  });

  it("shows no process of the host and lets none be signalled", async () => {
    const said = await outputOf(`ls -d /proc/[0-9]* | wc -l; kill -9 ${process.pid}; kill -9 -1`);
    expect(Number(said.split("\n")[0])).toBeLessThan(10);
  });

  it("lets no disk of the host be made or read, and no kernel setting be written", async () => {
    const said = await outputOf(
      "mknod /tmp/disk b 8 0; mknod /tmp/mem c 1 1; echo x > /proc/sys/kernel/core_pattern; echo b > /proc/sysrq-trigger; mount -t tmpfs x /mnt; chroot /proc/1/root true; dmesg | head -1",
    );
    expect(
      said.match(/Operation not permitted|Read-only file system|Permission denied|must be superuser/gi)?.length,
    ).toBeGreaterThanOrEqual(5);
  });

  it("reaches no network, not even the host's own", async () => {
    const server = createServer((_, response) => response.end("reached")).listen(0, "127.0.0.1");
    await new Promise((done) => server.once("listening", done));
    const { port } = server.address() as AddressInfo;
    const said = await outputOf(
      `exec 3<>/dev/tcp/127.0.0.1/${port} && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3; exec 4<>/dev/tcp/192.0.2.1/80; tail -n +3 /proc/net/dev | wc -l`,
    );
    server.close();
    expect(said).not.toContain("reached");
    expect(said).toMatch(/Connection refused/);
    expect(said).toMatch(/Network is unreachable/);
  });

  it("stops a fork bomb at a bounded number of processes, and leaves none", async () => {
    const { action, verdict } = await attempt(
      KEEPALIVE,
      "bomb() { exec -a stig-bomb sleep 300 & bomb; bomb & bomb; }; bomb 2>&1 | head -c 2000",
    );
    expect(verdict.passed).toBe(false);
    expect(action.stdout + action.stderr).toMatch(/Resource temporarily unavailable|retry|stopped after/);
    expect(processesWith("stig-bomb")).toEqual([]);
  }, 30_000);

  it("stops an endless script and says so", async () => {
    const running = attempt(KEEPALIVE, "sleep 301");
    await expect.poll(() => processesWith("sleep\u0000301").length, { timeout: 8000 }).toBeGreaterThan(0);
    const { action, verdict } = await running;
    expect(verdict).toMatchObject({ passed: false, failureMode: "sandbox-timeout" });
    expect(action.stderr).toContain("stopped after");
    expect(processesWith("sleep\u0000301")).toEqual([]);
  }, 30_000);

  it("lets the script's own disk be filled and no other", async () => {
    const { action } = await attempt(
      KEEPALIVE,
      "dd if=/dev/zero of=/root/big bs=1M count=4096; dd if=/dev/zero of=/run/big bs=1M count=64; true",
    );
    expect(action.stderr).toContain("No space left on device");
    const many = await attempt(KEEPALIVE, "mkdir /srv/n; cd /srv/n; for i in $(seq 40000); do : > $i || break; done");
    expect(many.action.stderr).toContain("No space left on device");
    expect(many.verdict.passed).toBe(false);
  });

  it("fails a script that leaves more than can be listed, and goes on", async () => {
    const name = "a".repeat(200);
    const { verdict } = await attempt(
      KEEPALIVE,
      `cd /srv; for i in $(seq 400); do mkdir ${name}; cd ${name} || break; done; true`,
    );
    expect(verdict).toMatchObject({ passed: false, failureMode: "too-many-changes" });
    expect((await attempt(KEEPALIVE, "true")).verdict.failureMode).toBe("not-fixed");
  });

  it("keeps of an endless output a bounded part, and says that it was cut", async () => {
    const { action, verdict } = await attempt(KEEPALIVE, "yes | head -c 5000000");
    expect(action.stdout.length).toBe(1_000_000);
    expect(verdict.evidence).toMatchObject({ script: { isOutputCut: true } });
  });

  it("ends what a script leaves running", async () => {
    await attempt(KEEPALIVE, "setsid nohup bash -c 'exec -a stig-left sleep 300' > /dev/null 2>&1 & disown; sleep 0.1");
    expect(processesWith("stig-left")).toEqual([]);
  });

  it("keeps workspaces that are open at once apart", async () => {
    const [one, other] = await Promise.all([open(KEEPALIVE), open(KEEPALIVE)]);
    const call = (script: string) => ({ name: "apply_fix", arguments: { script } });
    await one.act(call("echo one > /etc/mark"));
    const seen = await other.act(call("cat /etc/mark"));
    await Promise.all([one.close(), other.close()]);
    expect(seen.stderr).toContain("No such file");
  });

  it("leaves the set-up root as it was", async () => {
    await attempt(KEEPALIVE, "rm -rf /etc /root /var /srv; echo x > /etc2");
    const root = stig?.folders.root ?? "";
    expect(existsSync(join(root, "etc/ssh/sshd_config"))).toBe(true);
    expect(existsSync(join(root, "etc2"))).toBe(false);
  });

  it("leaves no mount and no control group behind", async () => {
    await attempt(KEEPALIVE, "true");
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain("tracemill-stig");
    const groups = ["/sys/fs/cgroup", "/sys/fs/cgroup/pids"]
      .filter((folder) => existsSync(folder))
      .flatMap((folder) => readdirSync(folder));
    expect(groups.filter((name) => name.startsWith(`tracemill-stig-${process.pid}-`))).toEqual([]);
  });
});
