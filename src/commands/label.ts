/** `tracemill label`: what came of the attempts of an old run, in bulk. */
import { z } from "zod";
import {
  checkRepository,
  checkSealed,
  giveVerdicts,
  hasRecordedCalls,
  type Judged,
  type JudgedRun,
  judgedRun,
  readLabels,
  verdictsInCheckouts,
  verdictsOnAnswers,
} from "../capture/index.ts";
import { counted } from "../foundation/counted.ts";
import { Refusal } from "../foundation/errors.ts";
import { type Progress, startProgress } from "../foundation/progress.ts";
import { type Context, defineCommand } from "./command.ts";
import { readDuration } from "./read-duration.ts";

const input = z.object({
  run: z.string().describe("the run: its id, or another program's own name for it"),
  from: z
    .string()
    .optional()
    .describe(
      "labels, one JSON object a line: item (or instance_id, id), attempt (else the only one that was answered), value from 0 to 1, passed (else whether value is 1)",
    ),
  verifyCmd: z
    .string()
    .optional()
    .describe(
      "a command that judges each attempt in a checkout with its patch applied; of a recorded run, without --repository, by its last answer",
    ),
  repository: z
    .string()
    .optional()
    .describe(
      "with --verify-cmd: a clone that has the commits; of several repositories a folder with a clone of each, as owner__name or name",
    ),
  verifyTimeout: z.string().default("10m").describe("longest time that this command may take"),
});

type Result = Judged &
  Pick<JudgedRun, "insteadOf"> & {
    rejected: ReturnType<typeof readLabels>["rejected"];
    left: { attempt: string; reason: string }[];
    /** Attempts that were left alone, as a check had judged them. */
    judged: number;
  };

export default defineCommand<z.infer<typeof input>, Result>({
  summary: "Say what came of the attempts of an old run, from a list or by a command; the ledger keeps it.",
  details: `Example: tracemill label nightly --from labels.jsonl
         tracemill label nightly --verify-cmd "npm test" --repository ../app
         tracemill label nightly --verify-cmd ./judge.sh

With --verify-cmd the attempt or its item has to name the commit (base_commit or commit), and the attempt its patch. Of a
run whose calls were recorded (\`record\`, \`run --agent\`, \`import --onto\`), and without --repository, the command is run as
that of \`record\`: for each attempt that no check judged, with its last answer on stdin: the worker's, where one takes part.`,
  input,
  positional: ["run"],
  async run({ run: name, from, verifyCmd, repository, verifyTimeout }, context) {
    const { run, insteadOf } = await judgedRun(context.home, name);
    if ((from === undefined) === (verifyCmd === undefined)) throw oneOf();
    checkSealed(run);
    if (from !== undefined) {
      const { labels, rejected } = readLabels(from);
      const given = await giveVerdicts(context, run, { verdicts: labels, origin: "label" });
      return { ...given, insteadOf, rejected, left: [], judged: 0 };
    }
    const verify = {
      command: verifyCmd ?? "",
      timeoutMs: readDuration("verify-timeout", verifyTimeout),
      signal: context.signal,
    };
    const shown = progressOf(`label ${run.run}`, context);
    const asked = { ...context, verify, onProgress: shown.update };
    const said =
      repository === undefined && hasRecordedCalls(run)
        ? await verdictsOnAnswers({ ...asked, run })
        : await inCheckouts({ ...asked, run: run.run, repository: repository ?? "." });
    shown.finish();
    const { verdicts, left, judged } = said;
    const given = await giveVerdicts(context, run, { verdicts, origin: "label" });
    return { ...given, insteadOf, rejected: [], left, judged };
  },
  print: ({ run, insteadOf, given, unmatched, ambiguous, rejected, left, judged }) =>
    [
      ...(insteadOf === null ? [] : [`${run} stands for ${insteadOf} now`]),
      `${counted(given.length, `attempt of ${run} has`, `attempts of ${run} have`)} a verdict now`,
      ...(judged > 0 ? [`${counted(judged, "attempt")} left alone, as a check judged them before`] : []),
      ...(unmatched.length > 0
        ? [
            `${counted(unmatched.length, "label matches", "labels match")} no attempt, such as ${unmatched.slice(0, 3).join(", ")}`,
          ]
        : []),
      ...(ambiguous.length > 0
        ? [
            `${counted(ambiguous.length, "label does", "labels do")} not say which of several attempts is meant (attempt), such as ${ambiguous.slice(0, 3).join(", ")}`,
          ]
        : []),
      ...rejected.map(
        ({ reason, count, where }) => `not used: ${counted(count, "line")}: ${reason}; at ${where.join(", ")}`,
      ),
      ...left.slice(0, 5).map(({ attempt, reason }) => `not judged: ${attempt}: ${reason}`),
      ...(left.length > 5 ? [`and ${left.length - 5} more that could not be judged`] : []),
    ].join("\n"),
  exitCode: ({ unmatched, ambiguous, rejected, left }) =>
    unmatched.length + ambiguous.length + rejected.length + left.length > 0 ? 3 : 0,
});

async function inCheckouts(asked: Parameters<typeof verdictsInCheckouts>[0]) {
  await checkRepository(asked.repository);
  return { ...(await verdictsInCheckouts(asked)), judged: 0 };
}

function progressOf(title: string, { clock, stderr: stream, isJson }: Context) {
  let progress: Progress | null = null;
  return {
    update(done: number, total: number) {
      progress ??= startProgress({ title, total, clock, stream, isJson });
      progress.update(done);
    },
    finish: () => progress?.finish(),
  };
}

function oneOf(): Refusal {
  return new Refusal({
    code: "BAD_ARGUMENT",
    message: "Say where the labels come from.",
    expected: "one of --from and --verify-cmd",
    fix: "tracemill label RUN --from labels.jsonl",
  });
}
