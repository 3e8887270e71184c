/**
 * `tracemill record`: a proxy before a model's server that records what any agent asks it, until Ctrl-C.
 */
import { once } from "node:events";
import { z } from "zod";
import { type SealedRecording, startRecording } from "../capture/index.ts";
import { counted } from "../foundation/counted.ts";
import { describeRefusal, Refusal } from "../foundation/errors.ts";
import { duration, tell } from "../foundation/progress.ts";
import { CODE_VERSION } from "../foundation/version.ts";
import { skillSplits } from "../skills/skill-splits.ts";
import { defineCommand } from "./command.ts";
import { warnOfOpenHost } from "./open-host.ts";
import { readDuration } from "./read-duration.ts";

const input = z.object({
  upstream: z
    .url({ protocol: /^https?$/, abort: true, error: "a URL that begins with http:// or https://" })
    .refine(isPlain, "no password, query or fragment: every log would hold it, so leave keys to the agent's headers")
    .describe("the model's server, as the agent had it: http://127.0.0.1:8000/v1"),
  skill: z
    .string()
    .regex(/^[a-z0-9-]+$/, "small letters, digits and dashes")
    .describe("what the agent works at; a name of your own"),
  port: z.number().int().min(0).max(65_535).default(8643).describe("port; 0 takes any free one"),
  host: z.string().default("127.0.0.1").describe("address to listen on; there is no access control"),
  durability: z
    .enum(["kernel", "fsync"])
    .default("kernel")
    .describe(
      "an answer is passed on once its record survives the end of this process (kernel) or a power cut (fsync)",
    ),
  verifyCmd: z
    .string()
    .optional()
    .describe("a command that judges each attempt when its run is sealed: exit code 0 is passed; see --help"),
  verifyTimeout: z.string().default("10m").describe("longest time that this command may take"),
  idle: z.string().default("30m").describe("after so long without a call a run is sealed: 90s, 30m, 12h"),
  timeout: z.string().default("30m").describe("longest wait for an answer to begin, and between its parts"),
});

export default defineCommand<z.infer<typeof input>, { recorded: SealedRecording[] }>({
  summary: "Record what any agent asks a model's server, by a proxy in front of it.",
  details: `Example: tracemill record --upstream http://127.0.0.1:8000/v1 --skill mine

The agent takes http://127.0.0.1:8643/v1 as its base URL. Which run, item and attempt a call belongs to is said by the URL,
http://127.0.0.1:8643/r/RUN/i/ITEM/a/1/role/worker/v1, or by X-Tracemill-Run, -Item, -Attempt, -Role and -Family headers; each
part may be left out, and calls are then grouped by their conversation.

--verify-cmd is run by the shell for each attempt that nobody else judged, when its run is sealed. It finds TRACEMILL_RUN,
TRACEMILL_ITEM and TRACEMILL_ATTEMPT in its environment and the last answer on its stdin: the worker's, where one takes part. A JSON
object on its last line ({"value": 0.5, "confidence": 0.9, "failureMode": "..."}) says more than its exit code.`,
  input,
  async run({ idle, timeout, verifyCmd, verifyTimeout, ...rest }, context) {
    const { home, clock, signal, stdout, stderr, isJson } = context;
    const recorded: SealedRecording[] = [];
    const idleMs = readDuration("idle", idle);
    const proxy = await startRecording({
      ...{ ...rest, home, clock, codeVersion: CODE_VERSION, config: { upstream: rest.upstream } },
      splits: await skillSplits(rest.skill),
      ...{ idleMs, timeoutMs: readDuration("timeout", timeout) },
      verify:
        verifyCmd === undefined
          ? null
          : { command: verifyCmd, timeoutMs: readDuration("verify-timeout", verifyTimeout), signal },
      onSealed(sealed) {
        recorded.push(sealed);
        if (isJson) tell(stderr, { event: "sealed", ...sealed });
        else stdout.write(`${sealedText(sealed)}\n`);
      },
      onBug: (error) => stderr.write(`${faultText(error)}\n`),
    });
    warnOfOpenHost(rest.host, context);
    const url = `${proxy.url}/v1`;
    const said = `Recording ${url} -> ${rest.upstream}; a run is sealed after ${duration(idleMs)} of quiet. Ctrl-C ends it.`;
    stdout.write(`${isJson ? JSON.stringify({ url }) : said}\n`);
    if (!signal.aborted) await once(signal, "abort");
    await proxy.close();
    return { recorded };
  },
  print: () => "Stopped. Runs that are not sealed can be gone on with, or sealed: tracemill seal RUN",
  exitCode: ({ recorded }) => Math.max(0, ...recorded.map(sealedExitCode)),
});

/** A log that cannot be gone on with is no bug of the program's. */
function faultText(error: unknown): string {
  if (error instanceof Refusal) return describeRefusal(error);
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Whether a URL says nothing but where. */
function isPlain(url: string): boolean {
  const { username, password, search, hash } = new URL(url);
  return `${username}${password}${search}${hash}` === "";
}

/** 3 where the verifier's command could not judge all of a run. */
export function sealedExitCode({ notVerified }: SealedRecording): number {
  return notVerified === undefined ? 0 : 3;
}

const MOST_REASON_CHARACTERS = 200;

/** A sealed run in a line, and in another what a verifier's command could not judge of it. */
export function sealedText({ run, items, attempts, passed, unjudged, notVerified }: SealedRecording): string {
  const open = unjudged > 0 ? `, ${counted(unjudged, "item")} without an outcome` : "";
  const sealed = `Sealed ${run}: ${counted(attempts, "attempt")} at ${counted(items, "item")}, ${passed} passed${open}`;
  if (notVerified === undefined) return sealed;
  const [reason = ""] = notVerified.reason.split("\n", 1);
  return [
    sealed,
    `not judged: ${counted(notVerified.attempts, "attempt")}: ${reason.slice(0, MOST_REASON_CHARACTERS)}`,
    `to have them judged: tracemill label ${run} --verify-cmd CMD`,
  ].join("\n");
}
