/** Every check of the contract suite is there for a flaw that it finds. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { livingDescendants, stillLiving } from "../../src/skills/child-processes.ts";
import { type Finding, runSuite, SUITE } from "../../src/skills/suite.ts";
import { type Flaw, paintSkill } from "./flawed-skill.ts";

async function findingsOf(flaw: Flaw | null): Promise<Finding[]> {
  const signal = new AbortController().signal;
  return runSuite({ id: "paint", skill: paintSkill(flaw), signal }, () => {});
}

async function titlesOf(outcome: Finding["outcome"], flaw: Flaw | null): Promise<string[]> {
  return (await findingsOf(flaw)).filter((finding) => finding.outcome === outcome).map(({ title }) => title);
}

describe("the contract suite", () => {
  it("finds nothing wrong with a skill that keeps the contract", async () => {
    const findings = await findingsOf(null);
    expect(findings.map(({ outcome }) => outcome)).toEqual(SUITE.map(() => "ok"));
    expect(findings.map(({ why }) => why).filter((why) => why !== null)).toEqual([
      expect.stringMatching(/^families: \d+ train, \d+ validation, \d+ test$/),
      "20 of 20 tried",
    ]);
  });

  it.each<[Flaw, RegExp]>([
    ["other-name", /^is called what its folder is called/],
    ["repeated-mode", /lists each failure mode once$/],
    ["repeated-id", /occur once$/],
    ["foreign-id", /under ids that begin with its name/],
    ["drifting-items", /^gives the same items for the same seed$/],
    ["seeded-families", /^keeps every family in its split/],
    ["answered-prompt", /^renders prompts that end with a user's message$/],
    ["empty-is-action", /^finds no action in an empty answer/],
    ["unlisted-mode", /^gives verdicts that fit the record/],
    ["passed-with-mode", /^gives verdicts that fit the record/],
    ["moody", /the same ones in another workspace$/],
    ["wrong-solution", /^passes the solutions that it offers/],
    ["unread-answer", /as it writes them$/],
    ["idle-restore", /^goes back to a kept state/],
    ["lost-state", /^goes back to a kept state/],
    ["idle-from", /begins a workspace with one$/],
    ["shared-state", /^keeps two workspaces apart/],
    ["close-closes-all", /^keeps two workspaces apart/],
    ["left-process", /^leaves no process behind/],
    ["starts-once", /and starts again$/],
  ])("finds the flaw %s", async (flaw, title) => {
    expect(await titlesOf("failed", flaw)).toContainEqual(expect.stringMatching(title));
  });

  it.each<[Flaw, RegExp]>([
    ["one-family", /has families in each$/],
    ["done-already", /^has items that do not pass before/],
  ])("warns of %s", async (flaw, title) => {
    expect(await titlesOf("warning", flaw)).toContainEqual(expect.stringMatching(title));
  });

  it("says what it cannot check of a skill that offers no solutions, and checks the rest", async () => {
    expect(await titlesOf("skipped", "no-starters")).toEqual([
      "passes the solutions that it offers, as it writes them",
    ]);
    expect(await titlesOf("failed", "no-starters")).toEqual([]);
  });

  it("goes on behind a check that failed, and stops when it is told to", async () => {
    expect(await findingsOf("other-name")).toHaveLength(SUITE.length);
    const told = new AbortController();
    const stopping = runSuite({ id: "paint", skill: paintSkill(), signal: told.signal }, () => told.abort());
    await expect(stopping).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("the list of processes", () => {
  it("holds a child while it lives, and the children of that", async () => {
    const earlier = new Set(livingDescendants().map(({ pid }) => pid));
    const child = spawn("sh", ["-c", "sleep 60 & echo; wait"], { stdio: ["ignore", "pipe", "ignore"] });
    await once(child.stdout, "data");
    const family = () => livingDescendants().filter(({ pid }) => !earlier.has(pid));
    // Between its fork and its exec, the child of the shell still carries the shell's name.
    await expect
      .poll(() =>
        family()
          .map(({ command }) => command)
          .sort(),
      )
      .toEqual(["sh", "sleep"]);
    const living = family();
    for (const { pid } of living) process.kill(pid, "SIGKILL");
    await once(child, "close");
    while (stillLiving(living).length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  });
});
