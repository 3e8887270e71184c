/**
 * Makes items: every kind of question about every domain, in several wordings. The same seed gives the same items;
 * another seed gives other questions, literals and contents under other ids, about the same domains.
 */
import { type Random, random } from "../../src/foundation/random.ts";
import { itemId } from "../../src/records/ids.ts";
import type { Draft } from "../../src/skills/contract.ts";
import type { Domain } from "./domain.ts";
import { DOMAINS } from "./domains.ts";
import { freshDomains } from "./fresh-domains.ts";
import {
  dateShape,
  keyShape,
  numberShape,
  referenceShape,
  schemaText,
  type TypedColumn,
  textShape,
} from "./generated-tables.ts";
import type { Kind, Question } from "./kind.ts";
import { KINDS } from "./kinds.ts";
import { manifest } from "./manifest.ts";
import type { TaskDetail } from "./task-detail.ts";

const QUESTIONS_PER_KIND = 3;
/** How often a question is drawn again where the domain and kind already have it. */
const TRIES = 8;
const ROWS: [number, number] = [11, 16];
const PARENT_ROWS: [number, number] = [4, 6];

/** Every item of a seed, domain by domain. */
export function generateItems(seed: number): Draft[] {
  return DOMAINS.flatMap((domain) => KINDS.flatMap((kind) => itemsOf(domain, kind, seed)));
}

/** The same of domains that no other seed has. */
export function freshItems(seed: number): Draft[] {
  return freshDomains(seed).flatMap((domain) => KINDS.flatMap((kind) => itemsOf(domain, kind, seed)));
}

function itemsOf(domain: Domain, kind: Kind, seed: number): Draft[] {
  const firstWording = random("sql-wording", seed, domain.id, kind.id).integer(0, 11);
  const asked = new Set<string>();
  const drafts: Draft[] = [];
  for (let n = 1; n <= QUESTIONS_PER_KIND; n++) {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const source = random("sql-item", seed, domain.id, kind.id, n, attempt);
      const say = (...wordings: string[]) => wordings[(firstWording + n) % wordings.length] as string;
      const asking = kind.ask(domain, { random: source, say });
      if (asking === null) return [];
      if (asked.has(asking.question)) continue;
      asked.add(asking.question);
      drafts.push(draft(domain, asking, { source, kind: kind.id, id: `${domain.id}-${kind.id}-${seed}.${n}` }));
      break;
    }
  }
  return drafts;
}

function draft(domain: Domain, asking: Question, made: { source: Random; kind: string; id: string }): Draft {
  const main = { name: domain.table, columns: mainColumns(domain, asking, made.source), rows: ROWS };
  const parent = asking.parentColumns === null ? [] : [parentTable(domain, asking)];
  const tables = [...parent, main];
  const detail: TaskDetail = {
    schema: schemaText([main, ...parent]),
    question: asking.question,
    reference: asking.reference,
    ordered: asking.ordered,
    tables: tables.map(({ name, columns, rows }) => ({ name, columns: columns.map((column) => column.shape), rows })),
    contentsSeed: made.source.integer(0, 0x7fff_ffff),
  };
  return {
    item: itemId(manifest.id, made.id),
    family: domain.id,
    kind: made.kind,
    task: taskText(
      asking.question,
      tables.map((table) => table.name),
    ),
    detail,
  };
}

/**
 * The task as similarity search sees it: the question, then the tables' names. Columns are left out on purpose:
 * they say which domain an item is of, while what helps is a question of the same kind.
 */
export function taskText(question: string, tables: readonly string[]): string {
  return `${question} (${tables.join(", ")})`;
}

/** The name column, those that the question needs, and up to two others, in the domain's order. */
function mainColumns(domain: Domain, asking: Question, source: Random): TypedColumn[] {
  const nullable = (column: string, fraction: number) => (asking.sortedBy.includes(column) ? 0 : fraction);
  const isUnique = (column: string) => asking.sortedBy.includes(column);
  const all: TypedColumn[] = [
    textShape(domain.label, { isUnique: true, nullFraction: 0 }, asking.focus),
    ...domain.categories.map((c) => textShape(c, { isUnique: false, nullFraction: 0 }, asking.focus)),
    ...domain.measures.map((m) =>
      numberShape(m, { isUnique: isUnique(m.column), nullFraction: nullable(m.column, 0.08) }, asking.focus),
    ),
    dateShape(domain.date, { isUnique: isUnique(domain.date.column), nullFraction: 0 }, asking.focus),
    textShape(domain.optional, { isUnique: false, nullFraction: 0.35 }, asking.focus),
  ];
  const needed = new Set([domain.label.column, ...asking.columns]);
  const others = all.map((column) => column.shape.name).filter((name) => !needed.has(name));
  for (const name of source.sample(others, Math.min(2, Math.max(0, 5 - needed.size)))) needed.add(name);
  const columns = all.filter((column) => needed.has(column.shape.name));
  const isJoined = asking.parentColumns !== null && domain.parent !== undefined;
  return isJoined && domain.parent ? [...columns, referenceShape(domain.parent.key, domain.parent.table)] : columns;
}

function parentTable(
  domain: Domain,
  asking: Question,
): { name: string; columns: TypedColumn[]; rows: [number, number] } {
  const { table, label, category } = domain.parent as NonNullable<Domain["parent"]>;
  const columns = [
    keyShape("id"),
    textShape(label, { isUnique: true, nullFraction: 0 }, asking.focus),
    textShape(category, { isUnique: false, nullFraction: 0 }, asking.focus),
  ];
  return { name: table, columns, rows: PARENT_ROWS };
}
