/**
 * Renders a selection: each chosen example becomes a row with its token ids and loss mask, or is refused with a
 * reason. Nothing is cut to fit and nothing masked by guess.
 */
import { assert, Refusal } from "../foundation/errors.ts";
import { garbageMeter } from "../foundation/garbage.ts";
import { hashJson } from "../foundation/hashing.ts";
import type { AnswerRow, Part, Selection } from "../records/selection.ts";
import type { Renderer } from "../render/renderer.ts";
import type { DatasetRow } from "./format.ts";

export interface RenderedRow {
  part: Part;
  row: DatasetRow;
  ids: number[];
  mask: (0 | 1)[];
}

export interface RenderSettings {
  renderer: Renderer;
  maxTokens: number;
}

const COLLECT_EVERY_BYTES = 128 << 20;
/** What a row leaves behind, and each token of it: its piece of text, its id and its line. */
const ROW_BYTES = 16 << 10;
const TOKEN_BYTES = 128;

/** Yields the rows of a selection in its order; what cannot be a row is added to its refusals. */
export async function* renderedRows(
  selection: Selection,
  { renderer, maxTokens }: RenderSettings,
): AsyncGenerator<RenderedRow> {
  const drop = garbageMeter(COLLECT_EVERY_BYTES);
  for await (const example of selection.rows()) {
    assert(example.kind === "answer", "rows of one answer");
    const rendered = render(example, renderer);
    if (typeof rendered === "string") selection.refusals.add(rendered, [example.turn]);
    else if (rendered.ids.length > maxTokens) selection.refusals.add("too-long", [example.turn]);
    else {
      yield { part: example.part, row: datasetRow(example), ...rendered };
      drop(ROW_BYTES + TOKEN_BYTES * rendered.ids.length);
    }
  }
}

/** Returns ids and mask, or the reason why the base's template cannot express the example. */
function render({ prompt, completion, tools }: AnswerRow, renderer: Renderer) {
  const [response] = completion;
  assert(response !== undefined && completion.length === 1, "a completion of one message");
  try {
    return renderer.example(prompt, response, tools);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.code.toLowerCase().replaceAll("_", "-");
  }
}

function datasetRow({ part: _, ...example }: AnswerRow): DatasetRow {
  const { turn, prompt, completion, tools } = example;
  return { id: `row-${hashJson({ turn, prompt, completion, tools }).slice(0, 16)}`, ...example };
}
