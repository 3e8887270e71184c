/**
 * General rows that are mixed into a training, so that what the base could is not forgotten: a JSONL file of conversations,
 * tokenised by the one renderer as datasets are. Which rows are drawn is the trainer's, by the training's seed.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { hashFile } from "../foundation/hashing.ts";
import { jsonValue } from "../foundation/json-value.ts";
import { readLines } from "../foundation/jsonl.ts";
import type { TrainConfig } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import { type Message, messageSchema } from "../records/message.ts";
import { loadRenderer, type Renderer } from "../render/renderer.ts";
import type { Home } from "../store/home.ts";
import { createTokenTable } from "../store/token-table.ts";

const texts = z.string().min(1);
const conversation = z.array(messageSchema).min(1);
const lineSchema = z.union([
  z.looseObject({ messages: conversation }).transform(({ messages }) => messages),
  z
    .looseObject({ prompt: z.union([texts, conversation]), completion: z.union([texts, conversation]) })
    .transform(({ prompt, completion }) => [...said("user", prompt), ...said("assistant", completion)]),
]);

export interface RehearsalRequest {
  /** A JSONL file: `messages`, or `prompt` and `completion`, a line. */
  file: string;
  /** Of all rows of the training. */
  fraction: number;
}

/** Names the file by its hash, as the manifest keeps it. Throws: `NO_REHEARSAL_FILE`. */
export async function rehearsalOf({
  file,
  fraction,
}: RehearsalRequest): Promise<NonNullable<TrainConfig["rehearsal"]>> {
  const hash = await hashFile(file).catch((cause: Error) => {
    throw new Refusal({
      code: "NO_REHEARSAL_FILE",
      message: "The file of general rows cannot be read.",
      got: cause.message,
      where: file,
      fix: "--rehearse FILE:0.1, with a JSONL file of conversations",
    });
  });
  return { file: basename(file), hash, fraction };
}

export interface GivenRehearsal {
  home: Home;
  base: BaseManifest;
  request: RehearsalRequest | undefined;
  config: TrainConfig;
}

/** Lends the file's conversations, tokenised, for as long as `use` takes; null where nothing is to be rehearsed. Throws: as `writeRehearsal`. */
export async function withRehearsal<T>(given: GivenRehearsal, use: (file: string | null) => Promise<T>): Promise<T> {
  if (given.request === undefined) return use(null);
  const folder = await mkdtemp(join(tmpdir(), "tracemill-rehearsal-"));
  try {
    return await use(await writeRehearsal(folder, given));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Writes the file's conversations as token ids and masks into the training's folder, each trained on its last answer, and
 * returns the path; null where nothing is to be rehearsed.
 * Throws: `BAD_REHEARSAL_ROW` naming the line, `REHEARSAL_CHANGED` where the file is not the one that was hashed.
 */
export async function writeRehearsal(work: string, given: GivenRehearsal): Promise<string | null> {
  const { home, base, request, config } = given;
  if (request === undefined || config.rehearsal === null) return null;
  if ((await hashFile(request.file)) !== config.rehearsal.hash) {
    throw new Refusal({ code: "REHEARSAL_CHANGED", message: "The file of general rows changed.", where: request.file });
  }
  const renderer = await loadRenderer(home, base);
  const target = join(work, "rehearsal.parquet");
  const table = createTokenTable(target);
  for (const { number, bytes } of readLines(request.file)) {
    if (bytes === null) throw badRow(request.file, number, "a line of more than 64 MB");
    const text = bytes.toString("utf8");
    if (text.trim() !== "") await table.add(`rehearsal-${number}`, [rendered(renderer, text, { request, number })]);
  }
  await table.finish();
  return target;
}

function rendered(
  renderer: Renderer,
  text: string,
  { request, number }: { request: RehearsalRequest; number: number },
) {
  const parsed = lineSchema.safeParse(jsonValue(text));
  if (!parsed.success) throw badRow(request.file, number, "neither messages nor prompt and completion");
  const messages = parsed.data;
  const answer = messages.at(-1);
  if (answer?.role !== "assistant" || messages.length < 2) throw badRow(request.file, number, "no answer at its end");
  try {
    return renderer.example(messages.slice(0, -1), answer, null);
  } catch (error) {
    if (error instanceof Refusal) throw badRow(request.file, number, error.code);
    throw error;
  }
}

function said(role: "user" | "assistant", given: string | Message[]): Message[] {
  return typeof given === "string" ? [{ role, content: given }] : given;
}

function badRow(file: string, number: number, got: string): Refusal {
  return new Refusal({
    code: "BAD_REHEARSAL_ROW",
    message: "A line of the file of general rows cannot be trained on.",
    expected: '{"messages": [...]} that ends with an answer, or {"prompt": ..., "completion": ...}',
    got,
    where: `${file}, line ${number}`,
    fix: "take the line out, or put it right",
  });
}
