/**
 * Free questions: over an item's tables with its first content, or over the user's own CSV or Parquet file.
 */
import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { Refusal } from "../../src/foundation/errors.ts";
import type { ActionCall } from "../../src/records/events.ts";
import type { Reply as SkillReply, Source } from "../../src/skills/contract.ts";
import { taskDetail } from "./task-detail.ts";
import type { Verifier } from "./verifier.ts";
import { queryOf } from "./workspace.ts";

const FILE_KINDS = /\.(csv|tsv|txt|parquet)$/i;

/** The CREATE TABLE text of what is asked about. Throws: `BAD_FILE`, `NO_SOURCE`. */
export async function describeSource(source: Source, verifier: Verifier): Promise<string> {
  if (source.item !== undefined) return taskDetail(source.item).schema;
  const file = await readableFile(source);
  const reply = await verifier.ask({ verb: "describe", file });
  if ("lost" in reply) throw badFile(file, reply.reason);
  if ("error" in reply.answer) throw badFile(file, reply.answer.error);
  return reply.answer.schema;
}

/** Runs a query under the rules and limits of the verifier. Throws: `BAD_FILE`, `NO_SOURCE`. */
export async function answerSource(call: ActionCall, source: Source, verifier: Verifier): Promise<SkillReply> {
  const task = source.item === undefined ? null : taskDetail(source.item);
  const file = task === null ? await readableFile(source) : null;
  const reply = await verifier.ask({ verb: "answer", task, file, query: queryOf(call) });
  if ("lost" in reply) return { error: reply.reason };
  return "error" in reply.answer ? { error: reply.answer.error } : reply.answer;
}

async function readableFile({ file }: Source): Promise<string> {
  if (file === undefined) {
    throw new Refusal({ code: "NO_SOURCE", message: "There is nothing to ask about.", expected: "an item or a file" });
  }
  const path = resolve(file);
  if (!FILE_KINDS.test(path)) throw badFile(path, "a file of another kind");
  await access(path).catch((cause: NodeJS.ErrnoException) => {
    throw badFile(path, cause.code ?? cause.message);
  });
  return path;
}

function badFile(file: string, got: string): Refusal {
  return new Refusal({
    code: "BAD_FILE",
    message: "The file cannot be read as a table.",
    expected: "a CSV or Parquet file (.csv, .tsv, .txt, .parquet)",
    got,
    where: file,
  });
}
