/**
 * A skill with a state that lasts: a house whose rooms are painted. It lies in a file, keeps named copies of it, and
 * breaks on request, so that every way of a workspace to go wrong is a real one.
 */
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Verdict } from "../../src/records/verdict.ts";
import type { Skill } from "../../src/skills/contract.ts";

export interface HouseFaults {
  /** Calls of `restore` that throw, counted from 1. */
  brokenRestores?: number[];
  complaint?: () => string | null;
  /** Rooms whose paint only shows after the house was aired. */
  slowRooms?: string[];
  /** Rooms whose paint is gone once the house was aired. */
  fadingRooms?: string[];
  /** Calls of `open` that throw, counted from 1. */
  brokenOpens?: number[];
  waitsFor?: Skill["waitsFor"];
  /** The items; three rooms unless told otherwise. */
  rooms?: string[];
}

export interface House {
  skill: Skill;
  /** What happened, in order: `open a from -`, `restore`, `keep`, `settle`. */
  events: string[];
}

const VERDICT: Omit<Verdict, "value" | "passed" | "failureMode"> = {
  confidence: 1,
  signalType: "binary",
  verifier: { id: "paint", version: "1" },
  before: { value: 0, passed: false },
  evidence: null,
  flags: [],
};

export function house(faults: HouseFaults = {}): House {
  const events: string[] = [];
  let restores = 0;
  let opens = 0;
  let keeps = 0;
  const skill: Skill = {
    manifest: {
      ...{ id: "house", version: "1", description: "Paint rooms.", salt: "house", maxTokens: 20 },
      splitFractions: { train: 1, validation: 0, test: 0 },
      failureModes: ["no-colour", "not-painted", "still-wet"],
      deferrableFailureModes: ["still-wet"],
    },
    items: async () =>
      (faults.rooms ?? ["hall", "kitchen", "attic"]).map((room) => ({
        ...{
          item: `house:${room}` as never,
          family: room,
          kind: null,
          task: `Paint the ${room} red.`,
          detail: { room },
        },
      })),
    prompt: (item) => [{ role: "user", content: item.task }],
    workedExample: () => [],
    tools: [{ type: "function", function: { name: "paint", parameters: { type: "object" } } }],
    parse(answer) {
      const call = answer.tool_calls?.[0]?.function;
      if (call !== undefined) return { call: { name: call.name, arguments: JSON.parse(String(call.arguments)) } };
      const colour = answer.content?.trim();
      if (!colour) return { failureMode: "no-colour", reason: "nothing was answered" };
      return { call: { name: "paint", arguments: { colour } } };
    },
    explain: ({ failureMode }) => `The room is ${failureMode === "not-painted" ? "not red" : "wet"}.`,
    ...(faults.waitsFor !== undefined && { waitsFor: faults.waitsFor }),
    async open(item, { folder, from }) {
      if (faults.brokenOpens?.includes(++opens)) throw new Error("the door is stuck");
      await mkdir(folder, { recursive: true });
      const state = join(folder, "house.json");
      const room = String(item.detail.room);
      events.push(`open ${room} from ${from ?? "-"}`);
      if (from === null) await writeFile(state, JSON.stringify({ painted: {}, isAired: false }));
      else await copyFile(join(folder, from), state);
      const read = async () => JSON.parse(await readFile(state, "utf8"));
      return {
        async act(call) {
          const now = await read();
          now.painted[room] = call.arguments.colour;
          await writeFile(state, JSON.stringify(now));
          return { exitCode: 0, stdout: JSON.stringify(now.painted), stderr: "" };
        },
        async verify(call) {
          const now = await read();
          const isFaded = (faults.fadingRooms ?? []).includes(room) && now.isAired;
          const isRed = now.painted[room] === "red" && !isFaded;
          const isWet = (faults.slowRooms ?? []).includes(room) && !now.isAired;
          const failureMode = call === null ? "no-colour" : !isRed ? "not-painted" : isWet ? "still-wet" : null;
          return { ...VERDICT, value: failureMode === null ? 1 : 0, passed: failureMode === null, failureMode };
        },
        async checkpoint() {
          const name = `state-${++keeps}`;
          events.push("keep");
          await copyFile(state, join(folder, name));
          return name;
        },
        async restore(name) {
          events.push("restore");
          if (faults.brokenRestores?.includes(++restores)) throw new Error("the snapshot is gone");
          await copyFile(join(folder, name), state);
        },
        health: async () => faults.complaint?.() ?? null,
        async settle() {
          events.push("settle");
          await writeFile(state, JSON.stringify({ ...(await read()), isAired: true }));
        },
        close: () => rm(state, { force: true }),
      };
    },
    close: async () => {},
  };
  return { skill, events };
}
