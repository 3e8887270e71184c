/**
 * What each record of another program becomes in a run log: its item, its attempt and turn by their ids, its messages by
 * their hashes. An item that nobody named before its first turn is named by it.
 */
import type { Hash } from "../foundation/hashing.ts";
import type { RunEvent, Turn } from "../records/events.ts";
import { type AttemptId, attemptId, type ItemId, type TurnId, turnId } from "../records/ids.ts";
import type { RecordedMessage } from "../records/message.ts";
import type { SkillSplits } from "../skills/skill-splits.ts";
import type { RunLog } from "../store/run-log.ts";
import {
  type Foreign,
  type ForeignAction,
  type ForeignItem,
  type ForeignPlace,
  type ForeignRun,
  type ForeignTip,
  type ForeignTurn,
  type Rejected,
  SELECTION,
} from "./foreign.ts";
import { type FamilyRule, foreignItem, foreignItemId, taskOf } from "./foreign-item.ts";
import type { RunCounts } from "./run-counts.ts";

export type ForeignRecord = Exclude<Foreign, ForeignRun | Rejected>;

export interface WriterParts {
  log: RunLog;
  counts: RunCounts;
  append(event: RunEvent): void;
  skill: string;
  splits: SkillSplits;
  familyRule: FamilyRule | null;
}

const MOST_MESSAGE_CHARACTERS = 2000;

/** Returns a function that writes a record. It throws: as the log's `append`. */
export function foreignWriter({
  log,
  counts,
  append,
  skill,
  splits,
  familyRule,
}: WriterParts): (record: ForeignRecord) => void {
  const families = new Map<ItemId, string>();
  const hashOf = messageHasher(log);
  /** Where the latest record belongs: mostly the next one's place, too. */
  let latest: { item: string; attempt: number; id: AttemptId } | null = null;

  function scan(item: ForeignItem): ItemId {
    const id = foreignItemId(skill, item.item);
    if (counts.items.has(id) || item.item === SELECTION) return id;
    const family = familyRule?.familyOf(item) ?? item.family;
    const { task, detail, itemKind = null } = item;
    const scanned = foreignItem(skill, splits, { nativeId: item.item, family, task, kind: itemKind, detail });
    families.set(id, scanned.family);
    append({ type: "items_scanned", data: { items: [scanned] } });
    return id;
  }

  function attemptOf({ item, attempt }: ForeignPlace, messages: ForeignTurn["messages"] = []): AttemptId {
    if (latest?.item === item && latest.attempt === attempt) return latest.id;
    const scanned = scan({ kind: "item", item, family: null, task: taskOf(messages), detail: {} });
    const id = attemptId(log.run, scanned, attempt);
    latest = { item, attempt, id };
    return id;
  }

  function turn(record: ForeignTurn): void {
    const attempt = attemptOf(record, record.messages);
    const turn = turnId(attempt, counts.nextTurn(attempt));
    append({ type: "turn", data: turnOf(record, { log, hashOf, attempt, turn }) });
  }

  function action(record: ForeignAction): void {
    const attempt = attemptOf(record);
    const { call, exitCode, isError, stdout, stderr, durationMs = 0 } = record;
    const turn = turnId(attempt, Math.max(1, counts.turnsOf(attempt)));
    const failed = isError === undefined ? {} : { isError };
    append({ type: "action", data: { attempt, turn, call, exitCode, ...failed, stdout, stderr, durationMs } });
  }

  function tip({ item, attempt, tip }: ForeignTip): void {
    const source = scan({ kind: "item", item, family: null, task: "", detail: {} });
    const from = attempt === null ? null : attemptId(log.run, source, attempt);
    const family = families.get(source) ?? source;
    append({
      type: "tip_saved",
      data: { ...tip, skill, family, source: { run: log.run, item: source, attempt: from } },
    });
  }

  return (record) => {
    if (record.kind === "item") scan(record);
    else if (record.kind === "turn") turn(record);
    else if (record.kind === "action") action(record);
    else if (record.kind === "verdict") {
      const verdict = { before: null, ...record.verdict };
      append({ type: "verdict", data: { attempt: attemptOf(record), verdict } });
    } else if (record.kind === "patch") {
      const { patch, commit = null } = record;
      append({ type: "patch_left", data: { attempt: attemptOf(record), patch, ...(commit !== null && { commit }) } });
    } else if (record.kind === "tip") tip(record);
    else if (record.kind === "tip-retired") {
      append({ type: "tip_retired", data: { tip: record.tip, reason: record.reason } });
    } else {
      const { boundary, code, place } = record;
      const attempt = place === undefined ? null : attemptOf(place);
      const message = record.message.slice(0, MOST_MESSAGE_CHARACTERS).toWellFormed();
      append({ type: "failure", data: { boundary, code, message, attempt } });
    }
  };
}

/** Prompts of one conversation hold the same messages again and again: each is hashed once. */
function messageHasher(log: RunLog): (message: RecordedMessage) => Hash {
  const hashes = new WeakMap<RecordedMessage, Hash>();
  return (message) => {
    const hash = hashes.get(message) ?? log.message(message);
    hashes.set(message, hash);
    return hash;
  };
}

interface TurnWriting {
  log: RunLog;
  hashOf(message: RecordedMessage): Hash;
  attempt: AttemptId;
  turn: TurnId;
}

function turnOf(record: ForeignTurn, { log, hashOf, attempt, turn }: TurnWriting): Turn {
  const { role, phase = "call", messages, tools, response, missing, tokenIds } = record;
  return {
    ...{ turn, attempt, role: roleName(role), phase },
    messages: messages.map(hashOf),
    tools: tools === null || tools.length === 0 ? null : log.tools([...tools]),
    response: response === null ? null : hashOf(response),
    finishReason: record.finishReason ?? null,
    usage: record.usage ?? null,
    latencyMs: Math.max(0, record.latencyMs ?? 0),
    request: record.request ?? {},
    modelAnswered: record.model ?? null,
    ...{ baseHash: null, adapterHash: null, parseFlags: [...(record.flags ?? [])] },
    ...{ retrievals: record.retrievals ?? [], tipSpans: [] },
    ...(missing.length > 0 && { missing: [...missing] }),
    ...(tokenIds !== undefined && { tokenIds }),
    ...(record.wire !== undefined && { wire: record.wire }),
    ...(record.recordedAs !== undefined && { recordedAs: record.recordedAs }),
  };
}

/** Another agent's name for what it does, in the letters that a role has. */
function roleName(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^[^a-z]+|-+$/g, "");
  return plain === "" ? "worker" : plain;
}
