/**
 * A skill that keeps the contract, and that breaks it in one way on request: rooms are painted, each workspace has a file
 * of its own, and kept states are copies of it.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Skill, Verdict } from "../../src/skills/contract.ts";

export type Flaw =
  | "other-name"
  | "repeated-mode"
  | "repeated-id"
  | "foreign-id"
  | "drifting-items"
  | "seeded-families"
  | "one-family"
  | "answered-prompt"
  | "empty-is-action"
  | "unlisted-mode"
  | "passed-with-mode"
  | "moody"
  | "done-already"
  | "wrong-solution"
  | "unread-answer"
  | "idle-restore"
  | "idle-from"
  | "lost-state"
  | "shared-state"
  | "close-closes-all"
  | "left-process"
  | "starts-once"
  | "no-starters";

const ROOMS = Array.from({ length: 20 }, (_, n) => `room-${n}`);

export function paintSkill(flaw: Flaw | null = null): Skill {
  let calls = 0;
  let isClosed = false;
  const has = (other: Flaw) => flaw === other;
  const paint = (colour: string) => ({ name: "paint", arguments: { colour } });

  return {
    manifest: {
      ...{
        id: has("other-name") ? "pain" : "paint",
        version: "1",
        description: "Paint rooms.",
        salt: "paint",
        maxTokens: 9,
      },
      splitFractions: { train: 0.5, validation: 0.2, test: 0.3 },
      failureModes: ["no-colour", "not-red", ...(has("repeated-mode") ? ["not-red"] : [])],
    },
    async items({ seed }) {
      calls += 1;
      return ROOMS.map((room, n) => ({
        item: `${has("foreign-id") ? "house" : "paint"}:${has("repeated-id") ? 1 : room}` as never,
        family: has("one-family") ? "rooms" : has("seeded-families") ? `${room}-${seed}` : room,
        kind: null,
        task: `Paint ${room} red${has("drifting-items") && n === 3 ? calls : ""}.`,
        detail: {},
      }));
    },
    prompt: ({ task }) => [{ role: has("answered-prompt") ? "assistant" : "user", content: task }],
    workedExample: ({ task }, call) => [
      { role: "user", content: task },
      { role: "assistant", content: String(call.arguments.colour) },
    ],
    ...(!has("no-starters") && {
      starters: (items) => items.map((item) => ({ item, call: paint(has("wrong-solution") ? "blue" : "red") })),
    }),
    parse(answer) {
      const colour = answer.content?.trim();
      if (colour || has("empty-is-action")) return { call: paint(colour ?? "") };
      return { failureMode: "no-colour", reason: "nothing was answered" };
    },
    answerText: (call) => (has("unread-answer") ? "" : String(call.arguments.colour)),
    async open(_, { folder, from }) {
      if (isClosed && has("starts-once")) throw new Error("it was closed");
      await mkdir(folder, { recursive: true });
      const file = join(folder, has("shared-state") ? "wall" : randomBytes(6).toString("hex"));
      if (from === null || has("idle-from")) await writeFile(file, has("done-already") ? "red" : "white");
      else await copyFile(join(folder, from), file);
      if (has("left-process")) spawn("sleep", ["9"], { stdio: "ignore" }).unref();
      const read = () => readFile(file, "utf8");
      let before = await read();
      return {
        async act(call) {
          await writeFile(file, String(call.arguments.colour));
          return { exitCode: 0, stdout: "", stderr: "" };
        },
        async verify(call) {
          const isRed = (await read()) === "red" && !(has("moody") && ++calls % 2 === 0);
          const mode = call === null ? "no-colour" : isRed ? null : has("unlisted-mode") ? "too-pale" : "not-red";
          return {
            ...verdict(mode, before === "red"),
            ...(has("passed-with-mode") && mode === null && { failureMode: "not-red" }),
          };
        },
        async checkpoint() {
          const name = `kept-${randomBytes(6).toString("hex")}`;
          if (has("lost-state")) await writeFile(join(folder, name), "white");
          else await copyFile(file, join(folder, name));
          return name;
        },
        async restore(name) {
          if (!has("idle-restore")) await copyFile(join(folder, name), file);
          before = await read();
        },
        close: () => rm(has("close-closes-all") ? folder : file, { recursive: true, force: true }),
      };
    },
    async close() {
      isClosed = true;
    },
  };
}

function verdict(failureMode: string | null, wasRed: boolean): Verdict {
  const passed = failureMode === null;
  return {
    ...{ value: passed ? 1 : 0, confidence: 1, passed, failureMode, signalType: "binary", evidence: null, flags: [] },
    verifier: { id: "paint", version: "1" },
    before: { value: wasRed ? 1 : 0, passed: wasRed },
  };
}
