/**
 * Run logs of gemma-forge, every era of them, with what its databases hold beside: tips that were retired since, settings, and
 * runs whose log is gone. A run is known under two ids, one in the log and one in the database, and is one run here.
 */
import type { Foreign } from "../foreign.ts";
import { type RunEventLine, runEventOf } from "../gemma-forge/run-event.ts";
import { runMachine } from "../gemma-forge/run-machine.ts";
import type { Importer, ImportInput } from "../importer.ts";
import { rejected } from "../reading/json.ts";
import { isObject, textIn, timeIn } from "../reading/shapes.ts";

const importer: Importer = {
  summary: "run logs of gemma-forge (runs/run-*.jsonl), a pg_dump or the SQLite file of its memory, or its Postgres",
  lossy: [
    "the system prompt and the tools",
    "the prompt, beyond what can be rebuilt of it",
    "texts beyond 200 characters of a script, 500 of a tool's result, 1000 of an answer",
    "which of a turn's two model calls said what",
    "finish reasons, sampling, the revision of harness and prompts",
  ],
  detects: ({ value }) => isObject(value) && "event_type" in value && "agent" in value && isObject(value.data),
  *read(input) {
    for (const file of input.files) yield* readLog(file, input);
  },
};

export default importer;

function* readLog(file: string, input: ImportInput): Generator<Foreign> {
  const machine = runMachine({ note: () => {}, rebuild: () => null });
  let isBegun = false;
  for (const line of input.lines(file)) {
    if ("kind" in line) {
      yield line;
      continue;
    }
    const event = runEventOf(line.where, line.value);
    if (event === null) {
      yield rejected(line.where, "it is no event of a run log");
      continue;
    }
    if (!isBegun) {
      isBegun = true;
      yield runOf(file, event);
    }
    yield* machine.take(event);
  }
  if (isBegun) yield* machine.end();
}

function runOf(file: string, { at, data }: RunEventLine): Foreign {
  const named = textIn(data.run_id) ?? /run-(\d{8}-\d{6})/.exec(file)?.[1] ?? file;
  return {
    ...{ kind: "run", nativeId: named, files: [file], startedAt: timeIn(data.start_time) ?? at },
    ...{ skill: "stig", model: null, facts: {} },
  };
}
