/**
 * `tracemill outcome`: what came of an attempt of another agent, said from outside: into the log of a run that can be gone
 * on with, or into the ledger where it is sealed.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { type GivenOutcome, giveOutcome, readOutcome } from "../capture/index.ts";
import type { Json } from "../foundation/canonical-json.ts";
import { Refusal } from "../foundation/errors.ts";
import { defineCommand } from "./command.ts";

const input = z.object({
  run: z.string().describe("the run: its id, or the agent's own name for it"),
  item: z.string().describe("the item, as the agent calls it"),
  attempt: z.int().min(1).optional().describe("which attempt at it, from 1; left out: the only one that was answered"),
  value: z.number().min(0).max(1).describe("from 0 (failed) to 1 (passed)"),
  confidence: z.number().min(0).max(1).default(1).describe("how sure the verifier is"),
  verifier: z.string().describe("what says so, with its version: pytest@8.4"),
  judgment: z.boolean().default(false).describe("it is an opinion, of a model or a person, and no check"),
  failureMode: z.string().optional().describe("why it did not pass, in a word of your own"),
  evidence: z.string().optional().describe("what the verifier printed: text, or @FILE"),
});

export default defineCommand<z.infer<typeof input>, GivenOutcome>({
  summary: "Say what came of an attempt of a recorded or imported run.",
  details: "Example: tracemill outcome nightly --item task-7 --value 1 --verifier pytest@8.4 --evidence @pytest.log",
  input,
  positional: ["run"],
  run({ run, item, attempt, value, confidence, judgment, failureMode, ...rest }, { home, clock }) {
    const [, id = rest.verifier, version = "unknown"] = /^(.*)@([^@]+)$/.exec(rest.verifier) ?? [];
    const body = {
      ...{ run, item, value, confidence, verifier: { id, version }, evidence: evidenceOf(rest.evidence) },
      ...(attempt !== undefined && { attempt }),
      ...(judgment && { signalType: "judgment" }),
      ...(failureMode !== undefined && { failureMode }),
    };
    return giveOutcome({ home, clock }, readOutcome(body));
  },
  print: ({ attempt, into, insteadOf }) =>
    into === "log"
      ? `Recorded in the run's log: ${attempt}`
      : `The run is sealed, so the ledger says it: ${attempt}${insteadOf === null ? "" : ` (this run stands for ${insteadOf} now)`}`,
});

function evidenceOf(text: string | undefined): Json {
  if (!text?.startsWith("@")) return text ?? null;
  const path = text.slice(1);
  try {
    return readFileSync(path, "utf8").toWellFormed();
  } catch (cause) {
    throw new Refusal({ code: "NO_EVIDENCE", message: "The evidence cannot be read.", where: path, cause });
  }
}
