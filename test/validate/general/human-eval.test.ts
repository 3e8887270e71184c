import { describe, expect, test } from "vitest";
import { Refusal } from "../../../src/foundation/errors.ts";
import { openCodeSandbox } from "../../../src/validate/ability/code-sandbox.ts";
import { type Problem, readProblems } from "../../../src/validate/ability/human-eval-problems.ts";
import humanEval from "../../../src/validate/general/human-eval.ts";

const sandbox = await openCodeSandbox();
const problems = await readProblems().catch((error): Problem[] => {
  if (!(error instanceof Refusal)) throw error;
  console.log(`skipped: HumanEval is not here (${error.details.got}); ${error.details.fix}`);
  return [];
});
if ("reason" in sandbox) console.log(`skipped: no sandbox for code here (${sandbox.reason})`);

const signal = new AbortController().signal;
const isLacking = "reason" in sandbox;

describe.skipIf(isLacking)("code of a model", () => {
  const passes = (program: string) => {
    if ("reason" in sandbox) throw new Error(sandbox.reason);
    return sandbox.passes(program, signal);
  };

  test("passes where it comes to its end", async () => {
    expect(await passes("assert sorted([2, 1]) == [1, 2]")).toBe(true);
  });

  test.each([
    ["fails an assertion", "assert 1 == 2"],
    ["leaves before its tests", "import os\nos._exit(0)"],
    ["is no Python", "def ("],
    ["takes more memory than it may", "x = bytearray(3 << 30)"],
    ["prints without end", "while True: print('x' * 1000)"],
    ["holds a NUL", "x = '\0'\nassert False"],
  ])("does not pass where it %s", async (_, program) => {
    expect(await passes(program)).toBe(false);
  });

  test("does not pass where it never ends", async () => {
    expect(await passes("while True: pass")).toBe(false);
  }, 30_000);

  test("has no network, none of the host's files, and nothing to write but memory", async () => {
    const program = [
      "import os, socket",
      "def refused(attempt):",
      "    try: attempt()",
      "    except OSError: return True",
      "    return False",
      "assert refused(lambda: socket.create_connection(('127.0.0.1', 1), 1))",
      "assert [n for n in socket.if_nameindex() if n[1] != 'lo'] == []",
      `assert not os.path.exists(${JSON.stringify(process.cwd())})`,
      "assert not os.path.exists('/etc/passwd')",
      "assert refused(lambda: open('/usr/made-here', 'w'))",
      "assert 'PATH' in os.environ and len(os.environ) < 10",
      "assert len([p for p in os.listdir('/proc') if p.isdigit()]) <= 3",
      "open('/tmp/made-here', 'w').write('fine')",
    ].join("\n");
    expect(await passes(program)).toBe(true);
  });
});

describe.skipIf(problems.length === 0)("HumanEval", () => {
  test("has its 164 problems, each scored by its reference solution in the chat's form", async () => {
    const { texts, prompts } = await humanEval.load({});
    expect([texts.length, prompts.length]).toEqual([164, 164]);
    const [text] = texts;
    expect(text?.opening).toMatch(/^```python\nfrom typing import List\n/);
    expect(text?.opening.endsWith('"""\n')).toBe(true);
    expect(text?.continuation).toBe(problems[0]?.canonical_solution);
  });

  test.skipIf(isLacking)(
    "is passed by its own solutions, and not by functions that return nothing",
    async () => {
      const { shown } = await humanEval.load({});
      const answered = (answer: (problem: Problem) => string) => ({
        scores: new Map(),
        answers: new Map(
          problems.slice(0, 40).map((problem) => [problem.task_id, { text: answer(problem), isCut: false }]),
        ),
      });
      const base = answered(({ canonical_solution }) => canonical_solution);
      const candidate = answered(() => "    return None\n");
      expect(await shown({ base, candidate }, signal)).toEqual([
        { name: "pass@1", base: 1, candidate: 0, note: expect.stringContaining("164 problems") },
      ]);
    },
    60_000,
  );
});
