/**
 * Sessions of OpenAI's Codex: rollouts, `rollout-*.jsonl`, which it compresses after a week (`.jsonl.zst`; where both
 * are there the plain one is read). A session is a run and an item; turns that were rolled back are an attempt of their
 * own. Passed over: what the interface was told besides (it repeats the items), world states, snapshots, and what a fork
 * copied from a session that is imported with it.
 */
import { statSync } from "node:fs";
import { basename } from "node:path";
import type { Json } from "../../foundation/canonical-json.ts";
import { isZstd } from "../../foundation/zstd.ts";
import { textOf } from "../conversations.ts";
import type { Foreign, ForeignRun } from "../foreign.ts";
import type { FileStart, Importer, ImportInput } from "../importer.ts";
import { readHead, rejected } from "../reading/json.ts";
import { plainUrl } from "../reading/plain-url.ts";
import { isObject, type JsonObject, objectIn, textIn, timeIn } from "../reading/shapes.ts";
import { zstdLines } from "../reading/zstd.ts";
import { type CodexSession, isMetaOfOld, openCodexSession } from "../sessions/codex-session.ts";
import { MOST_SESSION_BYTES, type SessionNode, treeRecords } from "../sessions/session-tree.ts";

const TYPES = ["session_meta", "response_item", "turn_context", "event_msg", "compacted"];
/** The first line of a session with a long system prompt is longer than what is looked at. */
const LONG_START = /^\{"timestamp":"[^"]{1,40}",(?:"ordinal":\d+,)?"type":"session_meta","payload":\{/;
const PACKED_NAME = /rollout-[^/]*\.jsonl\.zst$/;
const ID_IN_NAME = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

const INJECTED = /^(?:<[a-z_ -]+>|# AGENTS\.md)/;
const MOST_FIELD_CHARACTERS = 1000;

const importer: Importer = {
  summary: "OpenAI Codex's sessions (rollouts)",
  lossy: ["tools", "sampling", "reasoning, which is a cipher", "token ids", "results of hosted searches", "outcome"],
  detects: (file) => (isZstd(file.head) ? PACKED_NAME.test(file.name) : isStart(file)),
  *read(input) {
    const seen = new Set<string>();
    const files = new Set(input.files);
    for (const file of files) {
      const isPacked = isZstd(readHead(file, 4));
      if (isPacked && files.has(file.replace(/\.zst$/, ""))) continue;
      yield* readSession(file, isPacked ? zstdLines(file, MOST_SESSION_BYTES) : plainLines(file, input), seen);
    }
  },
};

export default importer;

function isStart({ head, value }: FileStart): boolean {
  if (value === undefined) return LONG_START.test(head.toString("latin1", 0, 200));
  if (!isObject(value)) return false;
  const { type, payload, timestamp } = value;
  if (isObject(payload)) return TYPES.includes(textIn(type) ?? "") && typeof timestamp === "string";
  return isMetaOfOld(value);
}

function* plainLines(file: string, input: ImportInput): ReturnType<typeof zstdLines> {
  const { size } = statSync(file);
  if (size > MOST_SESSION_BYTES) return yield rejected(file, `it has ${size} bytes, more than ${MOST_SESSION_BYTES}`);
  yield* input.lines(file);
}

function* readSession(file: string, lines: ReturnType<typeof zstdLines>, seen: Set<string>): Generator<Foreign> {
  const session = openCodexSession();
  let run: ForeignRun | null = null;
  for (const line of lines) {
    if ("kind" in line) yield line;
    else if (!isObject(line.value) || !session.take(line.value))
      yield rejected(line.where, "it is no line of a rollout");
    if (run === null && session.isBegun) {
      run = runOf(file, session);
      yield run;
    }
  }
  if (run === null) return yield rejected(file, "no message is in it");
  const nodes = session.finish();
  const meta = session.meta ?? {};
  const place = { item: run.nativeId, attempt: 1 };
  const detail = detailOf(meta, session.title);
  const task = session.task ?? askedIn(nodes);
  yield { kind: "item", item: run.nativeId, family: textIn(detail.repository ?? detail.cwd), task, detail };
  const prompt = textIn(objectIn(meta.base_instructions).text) ?? textIn(meta.base_instructions);
  yield* treeRecords(nodes, {
    ...{ where: file, place, isOneAttempt: false, tools: null, seen },
    role: objectIn(meta.source).subagent === undefined ? "worker" : "subagent",
    system: prompt === null ? [] : [{ role: "system", content: prompt }],
    missing: ["tools", "sampling", ...(prompt === null ? ["system-prompt" as const] : [])],
  });
  for (const { message } of session.failures) {
    yield { kind: "failure", boundary: "session", code: "TURN_FAILED", message, place };
  }
}

function runOf(file: string, { meta }: CodexSession): ForeignRun {
  const nativeId = textIn(meta?.id) || ID_IN_NAME.exec(basename(file))?.[0] || basename(file);
  const startedAt = timeIn(meta?.timestamp);
  return {
    kind: "run",
    nativeId,
    files: [file],
    startedAt,
    skill: "coding",
    model: null,
    facts: detailOf(meta ?? {}, null),
  };
}

function detailOf(meta: JsonObject, title: string | null): Record<string, Json> {
  const { cwd, git, cli_version, originator, forked_from_id, source, parent_thread_id } = meta;
  const { repository_url, branch, commit_hash } = objectIn(git);
  const spawned = objectIn(objectIn(objectIn(source).subagent).thread_spawn);
  const fields = {
    ...{ cwd, branch, commit: commit_hash, version: cli_version, originator, title, forkedFrom: forked_from_id },
    repository: typeof repository_url === "string" ? plainUrl(repository_url) : null,
    parent: parent_thread_id ?? spawned.parent_thread_id,
  };
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) =>
      typeof value === "string" ? [[key, value.slice(0, MOST_FIELD_CHARACTERS).toWellFormed()]] : [],
    ),
  );
}

/** What was asked first, where the interface's own record of it is not there: after what the program says of itself. */
function askedIn(nodes: readonly SessionNode[]): string {
  const asked = nodes.flatMap(({ messages }) => messages).filter(({ role }) => role === "user");
  return textOf((asked.find(({ content }) => !INJECTED.test(textOf(content))) ?? asked[0])?.content);
}
