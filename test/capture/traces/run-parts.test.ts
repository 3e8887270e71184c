/** Where a long file of traces is cut into runs: never within a trace, nor within a session. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ForeignRun } from "../../../src/capture/foreign.ts";
import { readDocument, readJsonLines } from "../../../src/capture/reading/json.ts";
import { type MemberReader, memberGroups, surveyGroups } from "../../../src/capture/traces/member-groups.ts";
import { runParts } from "../../../src/capture/traces/run-parts.ts";

interface Member {
  trace: string;
  session?: string;
}

const reader: MemberReader<Member> = {
  read: (value) => [value as unknown as Member],
  groupOf: ({ trace }) => trace,
  sessionsOf: ({ session }) => (session === undefined ? [] : [session]),
  whereOf: () => "",
  charactersOf: () => 1,
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tracemill-parts-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** The traces of a file as they end, those behind which it may be cut with a mark. Lines: `trace` or `trace/session`. */
function groupsOf(...lines: string[]): string[] {
  const file = join(folder, "members.jsonl");
  const members = lines.map((line) => line.split("/")).map(([trace, session]) => ({ trace, session }));
  writeFileSync(file, members.map((member) => `${JSON.stringify(member)}\n`).join(""));
  const survey = surveyGroups(file, reader, ({ trace }) => trace !== "-");
  const input = { files: [file], postgres: null, words: null, document: readDocument, lines: readJsonLines };
  const parquet = () => {
    throw new Error("no Parquet here");
  };
  return [...memberGroups(file, { ...input, parquet }, { reader, survey })].map((group) =>
    "kind" in group ? group.reason : `${group.members[0]?.trace}${group.members.length}${group.isSettled ? " |" : ""}`,
  );
}

describe("a file of traces", () => {
  it("may be cut behind each trace where there are no sessions, also where another one is under way", () => {
    expect(groupsOf("a", "a", "b", "c", "b")).toEqual(["a2 |", "c1 |", "b2 |"]);
  });

  it("is not cut while a session goes on", () => {
    expect(groupsOf("a/s", "b", "c/s", "d")).toEqual(["a1", "b1", "c1 |", "d1 |"]);
  });

  it("is not cut while a trace of a session is under way, if only its first span names it", () => {
    expect(groupsOf("a/s", "b/s", "b", "c", "a")).toEqual(["b2", "c1", "a2 |"]);
  });

  it("waits for no session of which nothing is told that counts", () => {
    expect(groupsOf("a", "-/s", "b", "-/s", "c")).toEqual(["a1 |", "b1", "c1 |"]);
  });
});

it("becomes a run for every 25,000 traces, the last one as long as a session makes it", () => {
  const run: ForeignRun = {
    ...{ kind: "run", nativeId: "spans.jsonl", files: [], skill: "otel", startedAt: null, model: null, facts: {} },
  };
  const partAt = runParts(run);
  const begun: [number, string | undefined][] = [];
  for (let n = 1; n <= 75_010; n++) {
    const part = partAt({ isSettled: n < 50_000 || n > 50_003 });
    if (part !== null) begun.push([n, part.nativeId]);
  }
  expect(begun).toEqual([
    [25_001, "spans.jsonl#2"],
    [50_005, "spans.jsonl#3"],
    [75_005, "spans.jsonl#4"],
  ]);
});
