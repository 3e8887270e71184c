/** Messages as other programs send them, on their way into a dataset. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder, freshFolders, home, importInto } from "../capture/importers/setting.ts";
import { select } from "./select-from.ts";

const ADD = { id: "c1", type: "function", function: { name: "add", arguments: '{"a":2}' } };
const QUESTION = { role: "user", content: "What is two and two, by the tool?" };
const RESULT = { role: "tool", tool_call_id: "c1", content: "4" };
const ANSWER = { role: "assistant", content: "It is four." };

/** The prompts and answers that a conversation leaves for training, and why others are left out. */
async function readFrom(...messages: object[]) {
  const path = join(folder, "rows.jsonl");
  const tools = [{ type: "function", function: { name: "add", parameters: { type: "object" } } }];
  writeFileSync(
    path,
    `${JSON.stringify({ id: "sum", family: "shop", messages, tools, temperature: 0, model: "m", reward: 1 })}\n`,
  );
  await importInto(home, path, { skill: "sql" });
  const { rows, refusals } = await select(home, { allowTeachers: ["m"], nearThreshold: null });
  return { rows: rows.map(({ prompt, completion }) => [...prompt, ...completion]), refusals };
}

describe("a recorded message", () => {
  freshFolders();

  it("whose calls stand without a content is an answer, and part of the prompts behind it", async () => {
    const call = { role: "assistant", tool_calls: [ADD] };
    const { rows, refusals } = await readFrom(QUESTION, call, RESULT, ANSWER);
    expect(refusals).toEqual([]);
    expect(rows.toSorted((a, b) => a.length - b.length)).toEqual([
      [QUESTION, { ...call, content: null }],
      [QUESTION, { ...call, content: null }, RESULT, ANSWER],
    ]);
  });

  it("whose text is a part of its own is that text, and with several parts or an image it is not read", async () => {
    const part = (text: string) => ({ type: "text", text });
    const { rows } = await readFrom({ role: "user", content: [part(QUESTION.content)] }, ANSWER);
    expect(rows).toEqual([[QUESTION, ANSWER]]);
    const image = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } };
    for (const content of [[part("one"), part("two")], [image]]) {
      expect((await readFrom({ role: "user", content }, ANSWER)).refusals).toMatchObject([{ reason: "unreadable" }]);
    }
  });
});
