/**
 * Sessions of Claude Code: `<session>.jsonl`, with the `agent-*.jsonl` of the agents that it started. A session is a run
 * and an item; each path to a last answer is an attempt (people rewind), an agent's turns stand where it was called.
 * Passed over: titles, modes, queues, snapshots of files and what else it keeps of its own state; of attachments, which
 * say what the model was shown but not how, it is noted that the prompts after them lack something. What a fork copied
 * from another session is prompt here, and turns there.
 */
import { statSync } from "node:fs";
import { basename } from "node:path";
import type { Json } from "../../foundation/canonical-json.ts";
import { textOf } from "../conversations.ts";
import type { Foreign, ForeignPlace, ForeignRun, Rejected } from "../foreign.ts";
import type { Importer, ImportInput } from "../importer.ts";
import { readHead, rejected } from "../reading/json.ts";
import { isObject, type JsonObject, objectIn, textIn, timeIn } from "../reading/shapes.ts";
import { askedIn, blocksOf } from "../sessions/claude-messages.ts";
import { type ClaudeSession, openClaudeSession } from "../sessions/claude-session.ts";
import { MOST_SESSION_BYTES, treeRecords } from "../sessions/session-tree.ts";

const SESSION_ID = /"sessionId"\s*:\s*"([^"\\]{1,200})"/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Of lines that are messages. */
const MESSAGE_TYPES: ReadonlySet<unknown> = new Set(["user", "assistant"]);
const HEAD_BYTES = 64 << 10;
const EXPORT_START = /^\s*\{\s*"loglines"\s*:\s*\[/;
const MOST_FIELD_CHARACTERS = 1000;
/** Texts that no person wrote: a command's, or a reminder of one. */
const COMMAND = /^(?:<[a-z-]+>|Caveat: )/;

const importer: Importer = {
  summary: "Claude Code's sessions, with their agents'",
  lossy: [
    "system prompt",
    "tools",
    "sampling",
    "token ids",
    "what reminders and attachments showed the model",
    "outcome",
  ],
  detects({ head, value }) {
    const start = head.toString("latin1");
    if (EXPORT_START.test(start)) return /"type"\s*:\s*"(?:user|assistant)"/.test(start);
    if (value !== undefined && (!isObject(value) || typeof value.type !== "string" || "payload" in value)) return false;
    return SESSION_ID.test(start) && /"uuid"\s*:/.test(start) && /"type"\s*:\s*"(?:user|assistant|system)"/.test(start);
  },
  *read(input) {
    const seen = new Set<string>();
    for (const session of sessionsOf(input.files)) yield* readSession(session, input, seen);
  },
};

export default importer;

interface SessionFiles {
  main: string;
  nativeId: string;
  /** By the agent's id. */
  agents: Map<string, string>;
}

/** Agents with the session that started them; those whose session is not there are one of their own. */
function sessionsOf(files: readonly string[]): SessionFiles[] {
  const sessions = new Map<string, SessionFiles>();
  const named = files.map((file) => {
    const id = SESSION_ID.exec(readHead(file, HEAD_BYTES).toString("utf8"))?.[1] ?? null;
    return { file, id, stem: basename(file).replace(/\.jsonl?$/, "") };
  });
  const isAgent = ({ stem }: { stem: string }) => stem.startsWith("agent-");
  for (const { file, id, stem } of named.filter((each) => !isAgent(each))) {
    const nativeId = UUID.test(stem) ? stem : (id ?? stem);
    const session = { main: file, nativeId, agents: new Map() };
    sessions.set(sessions.has(nativeId) ? file : nativeId, session);
  }
  for (const { file, id, stem } of named.filter(isAgent)) {
    const session = sessions.get(id ?? stem);
    if (session !== undefined) session.agents.set(stem.slice("agent-".length), file);
    else sessions.set(id ?? stem, { main: file, nativeId: id ?? stem, agents: new Map() });
  }
  return [...sessions.values()];
}

/** What the lines of a session say of all of it. */
interface About {
  startedAt: Date | null;
  /** What was asked first. */
  task: string | null;
  fields: Record<string, Json | undefined>;
}

function* readSession(files: SessionFiles, input: ImportInput, seen: Set<string>): Generator<Foreign> {
  const { main: file, nativeId } = files;
  const about: About = { startedAt: null, task: null, fields: {} };
  const [main, side] = [openClaudeSession(), openClaudeSession()];
  let isBegun = false;
  for (const read of linesOf(file, input)) {
    if ("kind" in read) yield read;
    else {
      const { line } = read;
      note(about, line);
      if (!isBegun && isObject(line.message) && MESSAGE_TYPES.has(line.type)) {
        isBegun = true;
        yield runOf(files, about);
      }
      (line.isSidechain === true ? side : main).take(line);
    }
  }
  if (!isBegun) return yield rejected(file, "no message is in it");
  const detail = detailOf(about);
  yield { kind: "item", item: nativeId, family: textIn(detail.cwd), task: about.task ?? "", detail };
  const place = { item: nativeId, attempt: 1 };
  const reading = { where: file, place, input, seen, agents: new Map(files.agents) };
  yield* recordsOf(main, { ...reading, role: "worker" });
  yield* recordsOf(side, { ...reading, role: "subagent" });
  for (const id of files.agents.keys()) yield* agentRecords(id, { ...reading, role: "subagent" });
}

interface Reading {
  where: string;
  place: Omit<ForeignPlace, "at">;
  input: ImportInput;
  seen: Set<string>;
  /** Those that were not read yet. */
  agents: Map<string, string>;
  role: string;
}

function* recordsOf(session: ClaudeSession, reading: Reading): Generator<Foreign> {
  const { nodes, agents } = session.finish();
  const { where, place, seen, role } = reading;
  yield* treeRecords(nodes, {
    ...{ where, place, role, isOneAttempt: role !== "worker", system: [], tools: null, seen },
    missing: ["system-prompt", "tools", "sampling"],
    *within(action, { item, attempt }) {
      const agent = agents.get(action);
      const inner = { ...reading, place: { item, attempt }, role: "subagent" };
      if (agent !== undefined) yield* agentRecords(agent, inner);
    },
  });
}

function* agentRecords(id: string, reading: Reading): Generator<Foreign> {
  const file = reading.agents.get(id);
  if (file === undefined) return;
  reading.agents.delete(id);
  const session = openClaudeSession();
  for (const read of linesOf(file, reading.input)) {
    if ("kind" in read) yield read;
    else session.take(read.line);
  }
  yield* recordsOf(session, { ...reading, where: file });
}

function* linesOf(file: string, input: ImportInput): Generator<{ line: JsonObject } | Rejected> {
  const { size } = statSync(file);
  if (size > MOST_SESSION_BYTES) return yield rejected(file, `it has ${size} bytes, more than ${MOST_SESSION_BYTES}`);
  const isExport = EXPORT_START.test(readHead(file, 100).toString("latin1"));
  for (const read of isExport ? exportedLines(file, input) : input.lines(file)) {
    if ("kind" in read) yield read;
    else if (isObject(read.value) && typeof read.value.type === "string") yield { line: read.value };
    else yield rejected(read.where, "it is no line of a session");
  }
}

function exportedLines(file: string, input: ImportInput): ReturnType<ImportInput["lines"]> {
  const read = input.document(file);
  if ("reason" in read) return [rejected(file, read.reason)];
  const { loglines } = objectIn(read.value);
  if (!Array.isArray(loglines)) return [rejected(file, "its `loglines` are no list")];
  return loglines.map((value, i) => ({ where: `${file}:/loglines/${i}`, value }));
}

function note(about: About, line: JsonObject): void {
  const { fields } = about;
  about.startedAt ??= isObject(line.message) ? timeIn(line.timestamp) : null;
  for (const key of ["cwd", "gitBranch", "version", "entrypoint"]) fields[key] ??= line[key];
  const title = line.customTitle ?? line.aiTitle ?? (line.type === "summary" ? line.summary : null);
  fields.title = title ?? fields.title;
  fields.pullRequest = line.prUrl ?? fields.pullRequest;
  if (line.type !== "user" || line.isMeta === true || line.isCompactSummary === true || about.task !== null) return;
  const asked = textOf(askedIn(blocksOf(objectIn(line.message).content))?.content);
  if (asked !== "" && !COMMAND.test(asked)) about.task = asked;
}

/** Those that are texts, and no longer than a detail is. */
function detailOf({ fields }: About): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) =>
      typeof value === "string" && value !== "" ? [[key, value.slice(0, MOST_FIELD_CHARACTERS).toWellFormed()]] : [],
    ),
  );
}

function runOf({ main, nativeId, agents }: SessionFiles, about: About): ForeignRun {
  const { startedAt } = about;
  const files = [main, ...agents.values()];
  return { kind: "run", nativeId, files, startedAt, skill: "coding", model: null, facts: detailOf(about) };
}
