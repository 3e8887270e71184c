/**
 * Puts together what belongs together and lies anywhere in a file, as the spans of one trace do, without holding more of
 * the file than is not at its end yet: the file is read once for where each group ends, and once for what it holds.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { Rejected } from "../foreign.ts";
import type { ImportInput } from "../importer.ts";
import { readDocument, readJsonLines, rejected } from "../reading/json.ts";
import { jsonRecords } from "./json-records.ts";

export interface MemberReader<M> {
  /** What a record holds. */
  read(value: Json, where: string): Iterable<M | Rejected>;
  /** The group that a member belongs to; null where it is one of its own. */
  groupOf(member: M): string | null;
  whereOf(member: M): string;
  charactersOf(member: M): number;
}

export interface Survey {
  /** The groups that tell something. */
  kept: ReadonlySet<string>;
  /** The groups that end with each record, by its number. */
  endings: ReadonlyMap<number, readonly string[]>;
  /** How many members tell something. */
  telling: number;
}

const MOST_HELD_CHARACTERS = 200_000_000;

/** Reads a file once; only groups with a member that `tells` something are kept. */
export function surveyGroups<M>(file: string, reader: MemberReader<M>, tells: (member: M) => boolean): Survey {
  const last = new Map<string, number>();
  const kept = new Set<string>();
  let telling = 0;
  for (const [number, members] of recordsOf(file, { lines: readJsonLines, document: readDocument }, reader)) {
    for (const member of members) {
      if (isRejected(member)) continue;
      const group = reader.groupOf(member);
      if (group !== null) last.set(group, number);
      if (!tells(member)) continue;
      telling++;
      if (group !== null) kept.add(group);
    }
  }
  const endings = new Map<number, string[]>();
  for (const [group, number] of last) {
    if (!kept.has(group)) continue;
    const ending = endings.get(number) ?? [];
    ending.push(group);
    endings.set(number, ending);
  }
  return { kept, endings, telling };
}

/** Yields each kept group as it ends, each member that is in none as it comes, and what cannot be read. */
export function* memberGroups<M>(
  file: string,
  input: ImportInput,
  { reader, survey }: { reader: MemberReader<M>; survey: Survey },
): Generator<readonly M[] | Rejected> {
  const open = new Map<string, { members: M[]; characters: number }>();
  let held = 0;
  for (const [number, members] of recordsOf(file, input, reader)) {
    for (const member of members) {
      if (isRejected(member)) {
        yield member;
        continue;
      }
      const group = reader.groupOf(member);
      const characters = reader.charactersOf(member);
      if (group === null) yield [member];
      else if (held + characters > MOST_HELD_CHARACTERS) yield rejected(reader.whereOf(member), TOO_MUCH);
      else if (survey.kept.has(group)) {
        const into = open.get(group) ?? { members: [], characters: 0 };
        open.set(group, into);
        into.members.push(member);
        into.characters += characters;
        held += characters;
      }
    }
    for (const group of survey.endings.get(number) ?? []) {
      const whole = open.get(group);
      open.delete(group);
      held -= whole?.characters ?? 0;
      if (whole !== undefined && whole.members.length > 0) yield whole.members;
    }
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
