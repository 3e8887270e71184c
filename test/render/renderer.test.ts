import { beforeAll, describe, expect, test } from "vitest";
import { Refusal } from "../../src/foundation/errors.ts";
import { random } from "../../src/foundation/random.ts";
import type { Message } from "../../src/records/message.ts";
import { createRenderer, type Renderer, type Step } from "../../src/render/renderer.ts";
import { readTokenizerFiles } from "../../src/render/tokenizer-files.ts";
import { seededConversations } from "../fixtures/conversations.ts";
import { smollm2Tokenizer } from "../fixtures/smollm2-tokenizer.ts";
import { runPython } from "../fixtures/venv.ts";

const APPLY_CHAT_TEMPLATE = `
import json, sys
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
for line in sys.stdin:
    messages = json.loads(line)
    ids = lambda m, p: tokenizer.apply_chat_template(m, add_generation_prompt=p, return_dict=False)
    answer = {"role": "assistant", "content": "SELECT 1"}
    print(json.dumps({"prompt": ids(messages, True), "whole": ids(messages + [answer], False),
                      "text": tokenizer.decode(ids(messages, True), skip_special_tokens=True)}))
`;

const QUESTION: Message = { role: "user", content: "How many?" };

let folder: string;
let renderer: Renderer;

beforeAll(async () => {
  folder = await smollm2Tokenizer();
  renderer = createRenderer(await readTokenizerFiles(folder));
}, 120_000);

test("ids and decoded text equal Python's apply_chat_template on 200 conversations", async () => {
  const conversations = seededConversations(200, 7);
  const input = conversations.map((messages) => JSON.stringify(messages)).join("\n");
  const expected = (await runPython(["-c", APPLY_CHAT_TEMPLATE, folder], input))
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(expected).toHaveLength(200);
  for (const [index, messages] of conversations.entries()) {
    const prompt = renderer.prompt(messages, null).ids;
    expect(prompt, JSON.stringify(messages)).toEqual(expected[index].prompt);
    expect(renderer.decode(prompt, { skipSpecial: true })).toBe(expected[index].text);
    const { ids } = renderer.example(messages, { role: "assistant", content: "SELECT 1" }, null);
    expect(ids, JSON.stringify(messages)).toEqual(expected[index].whole);
  }
}, 120_000);

describe("the loss mask", () => {
  test("covers exactly the answer and the token that ends it", () => {
    const { ids, mask } = renderer.example([QUESTION], { role: "assistant", content: "SELECT 42" }, null);
    expect(mask).toHaveLength(ids.length);
    const trained = ids.filter((_, index) => mask[index] === 1);
    expect(renderer.decode(trained)).toBe("SELECT 42<|im_end|>");
    expect(renderer.decode(ids.slice(0, mask.indexOf(1)))).toBe(renderer.prompt([QUESTION], null).text);
  });

  test("leaves earlier answers of the same conversation out", () => {
    const earlier: Message[] = [QUESTION, { role: "assistant", content: "SELECT 1" }, QUESTION];
    const { ids, mask } = renderer.example(earlier, { role: "assistant", content: "SELECT 2" }, null);
    expect(renderer.decode(ids.filter((_, index) => mask[index] === 1))).toBe("SELECT 2<|im_end|>");
  });

  test("is one unbroken stretch for any answer that is not refused", () => {
    const answers = seededConversations(60, 11).map((messages) => messages.at(-1)?.content ?? "");
    for (const content of answers) {
      const { mask } = renderer.example([QUESTION], { role: "assistant", content: `x${content}` }, null);
      expect(mask.join("")).toMatch(/^0+1+0*$/);
    }
  });

  test("is refused where the answer merges into the prompt's last token", () => {
    const merging: Message = { role: "assistant", content: "\n\nSELECT 1" };
    expect(() => renderer.example([QUESTION], merging, null)).toThrow(
      expect.objectContaining({ name: "Refusal", code: "PROMPT_NOT_PREFIX" }),
    );
  });
});

describe("the loss mask of an attempt of several messages", () => {
  const steps = (...isTrained: boolean[]): Step[] =>
    [
      { role: "assistant" as const, content: "SELECT 1" },
      { role: "user" as const, content: "Wrong." },
      { role: "assistant" as const, content: "SELECT 2" },
      { role: "user" as const, content: "Right." },
    ].map((message, at) => ({ message, isTrained: isTrained[at] === true }));

  function trainedText(given: Step[]): string {
    const { ids, mask } = renderer.attempt([QUESTION], given, null);
    expect(mask).toHaveLength(ids.length);
    return renderer.decode(ids.filter((_, index) => mask[index] === 1));
  }

  test("covers each trained message and the token that ends it, and nothing else", () => {
    expect(trainedText(steps(true, false, true))).toBe("SELECT 1<|im_end|>SELECT 2<|im_end|>");
    expect(trainedText(steps(false, false, true))).toBe("SELECT 2<|im_end|>");
    expect(trainedText(steps(true, false, false))).toBe("SELECT 1<|im_end|>");
    expect(trainedText(steps())).toBe("");
  });

  test("of one message is that of an example, to the bit", () => {
    for (const messages of seededConversations(40, 5)) {
      const message: Message = { role: "assistant", content: "SELECT 1" };
      expect(renderer.attempt(messages, [{ message, isTrained: true }], null)).toEqual(
        renderer.example(messages, message, null),
      );
    }
  });

  test("of each message is that of its own example, on random conversations", () => {
    for (const drawn of seededConversations(40, 9)) {
      const messages = drawn.map((message) => ({ ...message, content: `x${message.content}` }));
      const given = messages.map((message) => ({ message, isTrained: message.role === "assistant" }));
      const whole = renderer.attempt([QUESTION], given, null);
      for (const [at, { message, isTrained }] of given.entries()) {
        if (!isTrained) continue;
        const before = [QUESTION, ...messages.slice(0, at)];
        const { ids, mask } = renderer.example(before, message, null);
        const from = mask.indexOf(1);
        expect(whole.ids.slice(0, ids.length)).toEqual(ids);
        expect(whole.mask.slice(from, mask.lastIndexOf(1) + 1)).toEqual(mask.slice(from, mask.lastIndexOf(1) + 1));
      }
    }
  });

  test("is refused where the template shows an earlier message otherwise once more follow", async () => {
    const files = await readTokenizerFiles(folder);
    const template = `{% for m in messages %}<|im_start|>{{ m.role }}
{% if m.role == "assistant" and loop.last %}<think></think>{% endif %}{{ m.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;
    const changing = createRenderer({ ...files, template });
    expect(() => changing.attempt([QUESTION], steps(true, false, true), null)).toThrow(
      expect.objectContaining({ name: "Refusal", code: "PROMPT_NOT_PREFIX" }),
    );
  });
});

describe("decoding", () => {
  test("gives back any well-formed text that was encoded", () => {
    for (const [{ content } = QUESTION] of seededConversations(100, 3)) {
      expect(renderer.decode(renderer.encode(content ?? ""))).toBe(content);
    }
  });

  test("takes ids that the tokenizer does not have, and a lone surrogate, without failing", () => {
    expect(renderer.decode([2 ** 31, 999_999])).toBe("");
    expect(renderer.decode(renderer.encode("a\ud800b"))).toBe("a\ufffdb");
  });

  test("survives every id of the vocabulary", () => {
    const draw = random(1, "ids");
    const ids = Array.from({ length: 2000 }, () => draw.integer(0, 49_151));
    expect(() => ids.map((id) => renderer.decode([id]))).not.toThrow();
  });
});

test("a base whose template refuses a conversation is refused with the template's words", async () => {
  const files = await readTokenizerFiles(folder);
  const strict = createRenderer({ ...files, template: "{{ raise_exception('System role not supported') }}" });
  expect(() => strict.prompt([QUESTION], null)).toThrow(Refusal);
  expect(() => strict.prompt([QUESTION], null)).toThrow(
    expect.objectContaining({
      details: expect.objectContaining({ got: expect.stringContaining("System role not supported") }),
    }),
  );
});

test("a template or tokenizer that cannot be run is refused when it is loaded", async () => {
  const files = await readTokenizerFiles(folder);
  const code = (expected: string) => expect.objectContaining({ name: "Refusal", code: expected });
  expect(() => createRenderer({ ...files, template: "{% if %}" })).toThrow(code("BROKEN_TEMPLATE"));
  expect(() => createRenderer({ ...files, tokenizerJson: { model: {} } })).toThrow(code("UNSUPPORTED_TOKENIZER"));
});

test("tool-call arguments reach the template as an object, also where they came as JSON text", async () => {
  const files = await readTokenizerFiles(folder);
  const template = "{{ messages[0].tool_calls[0].function.arguments.query }}|{{ tools | tojson }}";
  const call = (given: string | { query: string }): Message => ({
    role: "assistant",
    content: null,
    tool_calls: [{ type: "function", function: { name: "run", arguments: given } }],
  });
  const tools = [{ type: "function" as const, function: { name: "run" } }];
  const shown = createRenderer({ ...files, template });
  expect(shown.prompt([call('{"query":"é"}')], tools).text).toBe(
    'é|[{"type": "function", "function": {"name": "run"}}]',
  );
  expect(shown.prompt([call({ query: "é" })], tools).text).toBe(shown.prompt([call('{"query":"é"}')], tools).text);
});
