import { join } from "node:path";
import { expect, test } from "vitest";
import validate from "../../src/commands/validate.ts";
import { type ValidateInput, validateInput } from "../../src/commands/validate-input.ts";
import { watchedContext } from "../fixtures/watched-context.ts";
import { withHome } from "../store/sample-run.ts";
import { writeLmEval } from "../validate/readers/written-results.ts";

process.env.TRACEMILL_SKILLS = join(import.meta.dirname, "../fixtures/skills");

test("a plan names the axes of other tools' results, with which it does not reckon, and refuses what are none", () =>
  withHome(async (home) => {
    const planned = async (given: ValidateInput) => {
      const { context, told } = watchedContext(home);
      const asked = { skill: "letters", limit: 11, general: ["none"], plan: true, ...given };
      return { plan: await validate.run(validateInput.parse(asked), context), told };
    };
    const results = await Promise.all(
      ["base", "candidate"].map((arm) => writeLmEval(join(home.path, arm), [{ task: "quiz", scores: [1, 0, 1] }])),
    );
    const alone = await planned({});
    const beside = await planned({ results });
    expect(alone.told).toEqual([]);
    expect(beside.told).toEqual([
      "Results of other tools are further axes, with which the plan does not reckon: lm-evaluation-harness:quiz.\n",
    ]);
    expect(beside.plan).toEqual(alone.plan);
    const nowhere = planned({ results: [join(home.path, "a"), join(home.path, "b")] });
    await expect(nowhere).rejects.toMatchObject({ code: "NO_SUCH_PATH" });
    await expect(planned({ results: results.slice(0, 1) })).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
  }));
