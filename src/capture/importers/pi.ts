/**
 * Sessions of pi, the coding agent: JSON lines that begin with one of the type `session`. A session is a run and an item;
 * each path to a last answer is an attempt, as people go back in its tree. Passed over: labels, names, what extensions
 * keep for themselves, and commands that the person ran for their own eyes.
 */
import { statSync } from "node:fs";
import type { Json } from "../../foundation/canonical-json.ts";
import { textOf } from "../conversations.ts";
import type { Foreign, ForeignRun } from "../foreign.ts";
import type { Importer, ImportInput } from "../importer.ts";
import { rejected } from "../reading/json.ts";
import { isObject, type JsonObject, textIn, timeIn } from "../reading/shapes.ts";
import { openPiSession } from "../sessions/pi-session.ts";
import { MOST_SESSION_BYTES, treeRecords } from "../sessions/session-tree.ts";

const MOST_FIELD_CHARACTERS = 1000;

const importer: Importer = {
  summary: "Sessions of pi, the coding agent",
  lossy: ["system prompt", "tools", "sampling", "token ids", "outcome"],
  detects: ({ value }) => isObject(value) && isHeader(value),
  *read(input) {
    const seen = new Set<string>();
    for (const file of input.files) yield* readSession(file, input, seen);
  },
};

export default importer;

function isHeader({ type, id, timestamp, cwd, payload, harness }: JsonObject): boolean {
  const isOwn = payload === undefined && harness === undefined;
  return isOwn && type === "session" && [id, timestamp, cwd].every((value) => typeof value === "string");
}

function* readSession(file: string, input: ImportInput, seen: Set<string>): Generator<Foreign> {
  const { size } = statSync(file);
  if (size > MOST_SESSION_BYTES) return yield rejected(file, `it has ${size} bytes, more than ${MOST_SESSION_BYTES}`);
  const session = openPiSession();
  let run: ForeignRun | null = null;
  let title: string | null = null;
  for (const line of input.lines(file)) {
    if ("kind" in line) yield line;
    else if (!isObject(line.value) || typeof line.value.type !== "string") {
      yield rejected(line.where, "it is no entry of a session");
    } else if (run !== null) {
      session.take(line.value);
      if (line.value.type === "session_info") title = textIn(line.value.name) ?? title;
    } else if (isHeader(line.value)) {
      run = runOf(file, line.value);
      session.take(line.value);
      yield run;
    } else yield rejected(line.where, "no session began before it");
  }
  if (run === null) return;
  const nodes = session.finish();
  const { nativeId, facts } = run;
  const asked = nodes.flatMap(({ messages }) => messages).find(({ role }) => role === "user");
  const detail = { ...facts, ...(title !== null && { title: title.slice(0, MOST_FIELD_CHARACTERS).toWellFormed() }) };
  yield { kind: "item", item: nativeId, family: textIn(facts.cwd), task: textOf(asked?.content), detail };
  yield* treeRecords(nodes, {
    ...{ where: file, place: { item: nativeId, attempt: 1 }, role: "worker", isOneAttempt: false },
    ...{ system: [], tools: null, missing: ["system-prompt", "tools", "sampling"], seen },
  });
}

function runOf(file: string, header: JsonObject): ForeignRun {
  const { id, timestamp, cwd, version, provider, modelId, parentSession, branchedFrom } = header;
  const fields = { cwd, provider, parent: parentSession ?? branchedFrom };
  const facts: Record<string, Json> = Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) =>
      typeof value === "string" ? [[key, value.slice(0, MOST_FIELD_CHARACTERS).toWellFormed()]] : [],
    ),
  );
  return {
    ...{ kind: "run", nativeId: textIn(id) || "session", files: [file], startedAt: timeIn(timestamp), skill: "coding" },
    ...{ model: textIn(modelId), facts: { ...facts, ...(typeof version === "number" && { version }) } },
  };
}
