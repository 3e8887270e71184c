/**
 * Puts together what belongs together and lies anywhere in a file, as the spans of one trace do, without holding more of
 * the file than is not at its end yet: the file is read once for where each group ends, and once for what it holds.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import { textNumbers } from "../../foundation/text-numbers.ts";
import type { Rejected } from "../foreign.ts";
import type { ImportInput } from "../importer.ts";
import { readDocument, readJsonLines, rejected } from "../reading/json.ts";
import { jsonRecords } from "./json-records.ts";

export interface MemberReader<M> {
  /** What a record holds. */
  read(value: Json, where: string): Iterable<M | Rejected>;
  /** The group that a member belongs to; null where it is one of its own. */
  groupOf(member: M): string | null;
  /** The sessions that it names: groups of one session belong together, too. */
  sessionsOf(member: M): readonly string[];
  whereOf(member: M): string;
  charactersOf(member: M): number;
}

export interface Survey {
  /** The number of the record with which a group ends that tells something; undefined for any other. */
  endOf(group: string): number | undefined;
  /** The number of the last record that names a session. */
  lastOf(session: string): number;
  /** How many members tell something. */
  telling: number;
}

export interface Group<M> {
  members: readonly M[];
  /** Whether nothing that comes after it is of a session that was named before. */
  isSettled: boolean;
}

const MOST_HELD_CHARACTERS = 200_000_000;

/** Reads a file once; only groups with a member that `tells` something are kept. */
export function surveyGroups<M>(file: string, reader: MemberReader<M>, tells: (member: M) => boolean): Survey {
  /** By group: the record that names it last, below 0 where nothing of it tells yet. */
  const ends = textNumbers();
  const named = textNumbers();
  let telling = 0;
  for (const [number, members] of recordsOf(file, { lines: readJsonLines, document: readDocument }, reader)) {
    for (const member of members) {
      if (isRejected(member)) continue;
      const group = reader.groupOf(member);
      for (const session of reader.sessionsOf(member)) named.set(session, number);
      const isTelling = tells(member);
      if (isTelling) telling++;
      if (group !== null) ends.set(group, isTelling || (ends.get(group) ?? 0) > 0 ? number : -number);
    }
  }
  return {
    endOf(group) {
      const end = ends.get(group) ?? 0;
      return end > 0 ? end : undefined;
    },
    lastOf: (session) => named.get(session) ?? 0,
    telling,
  };
}

interface OpenGroup<M> {
  members: M[];
  characters: number;
  isOfSession: boolean;
}

/** Yields each kept group as it ends, each member that is in none as it comes, and what cannot be read. */
export function* memberGroups<M>(
  file: string,
  input: ImportInput,
  { reader, survey }: { reader: MemberReader<M>; survey: Survey },
): Generator<Group<M> | Rejected> {
  const open = new Map<string, OpenGroup<M>>();
  const sessions = new Set<string>();
  let [held, ofSessions] = [0, 0];
  const isSettled = () => sessions.size === 0 && ofSessions === 0;

  function take(member: M, group: string, characters: number): void {
    const into = open.get(group) ?? { members: [], characters: 0, isOfSession: false };
    open.set(group, into);
    into.members.push(member);
    into.characters += characters;
    held += characters;
    if (into.isOfSession || reader.sessionsOf(member).length === 0) return;
    into.isOfSession = true;
    ofSessions += 1;
  }

  function* close(groups: Iterable<string>): Generator<Group<M>> {
    for (const group of groups) {
      const whole = open.get(group);
      if (whole === undefined) continue;
      open.delete(group);
      held -= whole.characters;
      if (whole.isOfSession) ofSessions -= 1;
      yield { members: whole.members, isSettled: isSettled() };
    }
  }

  for (const [number, members] of recordsOf(file, input, reader)) {
    const ending = new Set<string>();
    for (const member of members) {
      if (isRejected(member)) {
        yield member;
        continue;
      }
      for (const session of reader.sessionsOf(member)) {
        if (survey.lastOf(session) > number) sessions.add(session);
        else sessions.delete(session);
      }
      const group = reader.groupOf(member);
      const end = group === null ? undefined : survey.endOf(group);
      if (group !== null && end === number) ending.add(group);
      const characters = reader.charactersOf(member);
      if (group === null) yield { members: [member], isSettled: isSettled() };
      else if (held + characters > MOST_HELD_CHARACTERS) yield rejected(reader.whereOf(member), TOO_MUCH);
      else if (end !== undefined) take(member, group, characters);
    }
    yield* close(ending);
  }
}

const TOO_MUCH = `what is not at its end yet has more than ${MOST_HELD_CHARACTERS} characters`;

function* recordsOf<M>(
  file: string,
  source: Pick<ImportInput, "lines" | "document">,
  reader: MemberReader<M>,
): Generator<[number, Iterable<M | Rejected>]> {
  let number = 0;
  for (const record of jsonRecords(file, source)) {
    number++;
    yield [number, "kind" in record ? [record] : reader.read(record.value, record.where)];
  }
}

function isRejected<M>(member: M | Rejected): member is Rejected {
  return typeof member === "object" && member !== null && "kind" in member && member.kind === "rejected";
}
