/** A group is ended by its leader's number, and only while the number is its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { hasExited, killGroup } from "../../src/foundation/process-group.ts";

describe("A process group", () => {
  it("is ended with all that its leader started", async () => {
    const leader = spawn("sh", ["-c", "sleep 60 & echo $!; wait"], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [said] = await once(leader.stdout, "data");
    const left = Number(String(said));
    killGroup(leader, "SIGKILL");
    await once(leader, "close"); // its pipe closes when the last of the group has gone
    expect([hasExited(leader), leader.signalCode]).toEqual([true, "SIGKILL"]);
    expect(left).toBeGreaterThan(1);
  });

  it("that is gone, or never was, is no error", async () => {
    const leader = spawn("true", { detached: true });
    await once(leader, "exit");
    expect(hasExited(leader)).toBe(true);
    expect(() => killGroup(leader, "SIGKILL")).not.toThrow();
    expect(() => killGroup({ pid: undefined }, "SIGKILL")).not.toThrow();
  });
});
