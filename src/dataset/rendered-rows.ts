/**
 * Renders a selection: each chosen example becomes a line of the format, with its token ids and loss mask where there is
 * a base, or is refused with a reason. Nothing is cut to fit and nothing masked by guess.
 */
import { Refusal } from "../foundation/errors.ts";
import { garbageMeter } from "../foundation/garbage.ts";
import { hashText } from "../foundation/hashing.ts";
import { attemptId, attemptParts, type TurnId } from "../records/ids.ts";
import type { Message } from "../records/message.ts";
import type { AnswerOrigin, Scrub, Tokens } from "../records/selection.ts";
import { originsOf, type Part, type SelectedRow, type Selection, type Tier } from "../records/selection.ts";
import type { Renderer } from "../render/renderer.ts";
import type { DatasetFormat, DatasetRow } from "./format.ts";
import { showsParts } from "./shown-parts.ts";

export interface RenderedRow {
  part: Part;
  row: DatasetRow;
  line: string;
  /** One for an answer, or for a prompt alone; the chosen's and the rejected's for a pair; none without a base, or of tips. */
  tokens: Tokens[];
}

export interface RenderSettings {
  format: DatasetFormat;
  tier: Tier;
  renderer: Renderer | null;
  maxTokens: number | null;
}

const MOST_GARBAGE_BYTES = 64 << 20;
/** `JSON.stringify` writes half of a surrogate pair as an escape, and nothing else in this form but the text of one. */
const SURROGATE_ESCAPE = /\\ud[89a-f]/;

/** Yields the rows of a selection in its order; what cannot be a row is added to its refusals. */
export async function* renderedRows(selection: Selection, settings: RenderSettings): AsyncGenerator<RenderedRow> {
  const collect = garbageMeter(MOST_GARBAGE_BYTES);
  for await (const example of selection.rows()) {
    const rendered = render(example, { ...settings, scrub: selection.scrub });
    if (typeof rendered === "string") refuse(selection, rendered, example);
    else if (holdsSecret(rendered, settings, selection.scrub)) refuse(selection, "secret-left", example);
    else yield rendered;
    collect();
  }
}

function refuse({ refusals }: Selection, reason: string, example: SelectedRow): void {
  const turns = originsOf(example).map(({ turn }) => turn);
  refusals.add(reason, turns);
}

/** Returns the row, or the reason why the format or the base cannot express the example. */
function render(example: SelectedRow, settings: RenderSettings & Pick<Selection, "scrub">): RenderedRow | string {
  const { format, tier, renderer, maxTokens, scrub } = settings;
  const row: DatasetRow = { ...example, id: rowId(example) };
  if (row.kind === "answer" && tier !== "prompts" && !row.trained.includes(true)) return "nothing-trained";
  const tokens = renderer === null ? [] : tokensOf(row, tier, renderer);
  if (typeof tokens === "string") return tokens;
  if (renderer !== null && tokens.some((one) => hidesAnswer(one, renderer.stopIds))) return "answer-not-shown";
  if (maxTokens !== null && tokens.some(({ ids }) => ids.length > maxTokens)) return "too-long";
  const line = format.line(shownRow(row, scrub), tokens[0] ?? null);
  if (typeof line !== "string") return line.refused;
  if (SURROGATE_ESCAPE.test(line) && holdsLoneSurrogate([row, JSON.parse(line)])) return "lone-surrogate";
  if (renderer !== null && hidesParts(row, tier, renderer)) return "prompt-not-shown";
  return { part: example.part, row, line, tokens };
}

function tokensOf(row: DatasetRow, tier: Tier, renderer: Renderer): Tokens[] | string {
  if (row.kind === "reranker-pair") return [];
  const { prompt, tools } = row;
  try {
    if (row.kind !== "answer")
      return [renderer.example(prompt, row.chosen, tools), renderer.example(prompt, row.rejected, tools)];
    if (tier === "prompts") {
      const { ids } = renderer.prompt(prompt, tools);
      return [{ ids, mask: ids.map(() => 0) }];
    }
    const steps = row.completion.map((message, at) => ({ message, isTrained: row.trained[at] === true }));
    return [renderer.attempt(prompt, steps, tools)];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.code.toLowerCase().replaceAll("_", "-");
  }
}

/** A row with its attempts and turns as they may be written; what leads back to them keeps their own names. */
function shownRow(row: DatasetRow, scrub: Scrub): DatasetRow {
  const shown = <From extends AnswerOrigin>(origin: From): From => {
    const { run, item, n } = attemptParts(origin.attempt);
    const name = scrub.nameOf(item);
    if (name === item) return origin;
    const attempt = attemptId(run, name, n);
    return { ...origin, attempt, turn: (attempt + origin.turn.slice(origin.attempt.length)) as TurnId };
  };
  if (row.kind === "answer") return { ...shown(row), earlier: row.earlier.map(shown) };
  return { ...row, chosenFrom: shown(row.chosenFrom), rejectedFrom: shown(row.rejectedFrom) };
}

/**
 * Looks once more, at what is written: the line, and the texts whose tokens are, as a line may hold other texts or none.
 * Names of runs, models and verifiers are let be.
 */
function holdsSecret({ row, line }: RenderedRow, { renderer, tier }: RenderSettings, scrub: Scrub): boolean {
  if (scrub.reason !== null) return false;
  if (scrub.holdsSecret(line)) {
    const origins = originsOf(row).flatMap(({ run, model, verifierId }) => [run, model ?? "", verifierId]);
    const values = origins.map((name) => `:${JSON.stringify(name)}`);
    if (scrub.holdsSecret(values.reduce((text, value) => text.replaceAll(value, ':""'), line))) return true;
  }
  if (renderer === null || row.kind === "reranker-pair") return false;
  return conversationsOf(row, tier).some((messages) => scrub.holdsSecret(renderer.text(messages, row.tools)));
}

/** Whether a trained stretch is nothing but the token that ends it: templates that know no tool calls leave them out. */
function hidesAnswer({ ids, mask }: Tokens, stopIds: readonly number[]): boolean {
  for (let at = mask.indexOf(1); at >= 0; at = mask.indexOf(1, at)) {
    const start = at;
    while (mask[at] === 1) at++;
    if (ids.slice(start, at).every((id) => stopIds.includes(id))) return true;
  }
  return false;
}

/** Whether the template leaves out a part of a conversation of the row that is more than a text. */
function hidesParts(row: DatasetRow, tier: Tier, renderer: Renderer): boolean {
  if (row.kind === "reranker-pair") return false;
  return conversationsOf(row, tier).some((messages) => !showsParts(messages, row.tools, renderer));
}

/** What the tokens of a row are of. */
function conversationsOf(row: Exclude<DatasetRow, { kind: "reranker-pair" }>, tier: Tier): Message[][] {
  const { prompt } = row;
  if (row.kind !== "answer") return [row.chosen, row.rejected].map((answer) => [...prompt, answer]);
  return tier === "prompts" ? [prompt] : [[...prompt, ...row.completion]];
}

/** Hashes texts as they lie in the log: their canonical form would cost more than all else that a row does. */
function rowId(row: SelectedRow): string {
  const turns = originsOf(row).map(({ turn }) => turn);
  return `row-${hashText(JSON.stringify([turns, ...textsOf(row)])).slice(0, 16)}`;
}

function textsOf(row: SelectedRow): unknown[] {
  if (row.kind === "reranker-pair") return [row.query, row.positive, row.negative];
  return [row.prompt, row.kind === "answer" ? row.completion : [row.chosen, row.rejected], row.tools];
}

/** Looks into both a row and its line: arguments that were recorded as JSON text have their escapes only in one of them. */
function holdsLoneSurrogate(value: unknown): boolean {
  const pending = [value];
  while (pending.length > 0) {
    const one = pending.pop();
    if (typeof one === "string" && !one.isWellFormed()) return true;
    if (typeof one !== "object" || one === null) continue;
    for (const [key, inner] of Object.entries(one)) pending.push(key, inner);
  }
  return false;
}
