/**
 * Writes calls that were recorded on their way into run logs: finds or begins the run that a call names, gives it its
 * item, attempt and turn, and records it whole before anyone sees the answer. Does not know how a call came.
 */
import { type Hash, hashJson, hashText, shortHash } from "../foundation/hashing.ts";
import { type AttemptId, attemptId, attemptParts, type ItemId, type RunId } from "../records/ids.ts";
import type { RecordedMessage } from "../records/message.ts";
import type { Verdict } from "../records/verdict.ts";
import type { SkillSplits } from "../skills/skill-splits.ts";
import { listRuns } from "../store/runs.ts";
import { openVerifier } from "./attempt-verifier.ts";
import type { CallPlace } from "./call-place.ts";
import { beginningsOf } from "./conversations.ts";
import { foreignItem, foreignItemId, taskOf } from "./foreign-item.ts";
import { attemptMeant, giveOutcome } from "./late-verdicts.ts";
import { notRecording, type OpenRuns, openRuns } from "./open-runs.ts";
import type { ReportedOutcome } from "./outcome.ts";
import type { RecordedRun, RecordingOptions } from "./recorded-run.ts";
import { type CallEnd, isPart, type OpenCall, recordCall, recordFailure } from "./recorded-turn.ts";
import type { VerifyCommand } from "./verify-command.ts";
import type { SentCall } from "./wire/index.ts";

export interface Recorder extends Pick<OpenRuns, "finish" | "finishIdle" | "close"> {
  /** The run of a name, begun where there is none. Throws: what opening a log throws. */
  open(name: string): Promise<RecordedRun>;
  /** Finds a call its place. Throws: `RUN_SEALED`, `LOCKED`, and what opening a log throws. */
  begin(place: CallPlace, sent: SentCall): Promise<OpenCall>;
  /** Records a call: when this resolves, its record is in the kernel's hands, or on the disk where that was asked for. */
  end(call: OpenCall, end: CallEnd): Promise<void>;
  /** Records what is wrong with a call that could not be read. */
  fail(place: CallPlace, failure: NonNullable<CallEnd["failure"]>): Promise<void>;
  /** Records an outcome of an attempt, in the ledger where its run is sealed. Throws: `NOT_RECORDING`, `UNKNOWN_ATTEMPT`, `ATTEMPT_NOT_NAMED`. */
  judge(place: CallPlace, verdict: Verdict): Promise<AttemptId>;
}

const MOST_REMEMBERED = 10_000;

export interface RecorderOptions extends RecordingOptions {
  durability: "kernel" | "fsync";
  /** Judges the attempts of a run that is to be sealed; null where the user set no command. */
  verify: VerifyCommand | null;
}

/** Makes a recorder for one skill; runs begin with their first calls. */
export function openRecorder(options: RecorderOptions): Recorder {
  const { skill, splits, clock, durability, verify, answeredBy = null } = options;
  const runs = openRuns({ ...options, verifier: verify === null ? null : openVerifier(verify, options.home) });
  const answers = rememberedAnswers();

  function begin(run: RecordedRun, { place, sent }: { place: CallPlace; sent: SentCall }): OpenCall {
    const earlier = sent.previousResponse === null ? undefined : answers.get(sent.previousResponse);
    const whole = earlier === undefined ? unremembered(sent) : continuedFrom(earlier, sent);
    const hashes = whole.messages.map(hashJson);
    const keys = whole.messages.map((message, i) => run.book.keyOf(hashes[i] as Hash, message));
    const attempt = placed(run, { skill, splits, place, sent: whole, keys, earlier: earlier?.attempt ?? null });
    run.lastAtMs = clock().getTime();
    run.openCalls++;
    const turnNumber = run.book.nextTurn(attempt);
    return { run, attempt, turnNumber, role: place.role, sent: whole, hashes, answeredBy };
  }

  return {
    open: (name) => runs.of(name),
    begin: (place, sent) => runs.within(place.run, (run) => begin(run, { place, sent })),
    async end(call, end) {
      const { run, sent } = call;
      run.lastAtMs = clock().getTime();
      run.openCalls--;
      recordCall(call, end);
      if (sent.api === "responses") answers.add(call, end);
      if (durability === "fsync") await run.log.flush();
    },
    fail: (place, failure) => runs.within(place.run, (run) => recordFailure(run, null, failure)),
    async judge(place, verdict) {
      if (!(await runs.has(place.run))) return lateOutcome(options, { place, verdict });
      return runs.within(place.run, (run) => {
        const item = foreignItemId(skill, place.item ?? "");
        const attempt = attemptMeant(run.book, { run: run.log.run, item, attempt: place.attempt });
        run.append({ type: "verdict", data: { attempt, verdict } });
        return attempt;
      });
    },
    ...{ finish: runs.finish, finishIdle: runs.finishIdle, close: runs.close },
  };
}

/** Of a run that is sealed by now: the latest of its name that is of this skill, or the one of its id. */
async function lateOutcome(options: RecordingOptions, outcome: ReportedOutcome): Promise<AttemptId> {
  const { run } = outcome.place;
  const { home, skill } = options;
  const meant = (await listRuns(home)).findLast(
    (one) => run !== null && (one.run === run || (one.label === run && one.skill === skill)),
  );
  if (meant === undefined || !meant.isSealed) throw notRecording(run);
  return (await giveOutcome(options, { ...outcome, place: { ...outcome.place, run: meant.run } })).attempt;
}

interface Remembered {
  attempt: AttemptId;
  /** Of the call without its instructions, and the answer. */
  messages: RecordedMessage[];
  missing: SentCall["missing"];
}

/**
 * What was missing before an answer is missing after it; the earlier call's instructions do not go on.
 * Source: OpenAI's API reference, `instructions` of a response that names a `previous_response_id`.
 */
function continuedFrom(earlier: Remembered, sent: SentCall): SentCall {
  const missing = [...new Set([...earlier.missing, ...sent.missing])];
  const own = sent.messages.slice(0, sent.ownMessages);
  const said = sent.messages.slice(sent.ownMessages);
  return { ...sent, messages: [...own, ...earlier.messages, ...said], missing };
}

/** An earlier answer that nobody remembers (an earlier process gave it, or it was long ago) is not in the prompt. */
function unremembered(sent: SentCall): SentCall {
  return sent.previousResponse === null
    ? sent
    : { ...sent, missing: [...new Set([...sent.missing, "prompt" as const])] };
}

/** Answers that a later call may name in place of their messages. */
function rememberedAnswers(): {
  get(id: string): Remembered | undefined;
  add(call: OpenCall, end: CallEnd): void;
} {
  const answers = new Map<string, Remembered>();
  return {
    get: (id) => answers.get(id),
    add({ attempt, sent }, end) {
      const { answer } = end;
      if (answer === null || answer.id === null) return;
      const heard = sent.messages.slice(sent.ownMessages);
      // The server knows more of an answer that broke off here, or that is no message as chat has them.
      const missing = [...sent.missing, ...(isPart(end) ? (["prompt"] as const) : [])];
      answers.set(answer.id, { attempt, messages: [...heard, answer.message], missing });
      if (answers.size > MOST_REMEMBERED) answers.delete(answers.keys().next().value as string);
    },
  };
}

/** The attempt of a call; its item is recorded where it is new. */
function placed(
  { book, log, append }: RecordedRun,
  call: {
    skill: string;
    splits: SkillSplits;
    place: CallPlace;
    sent: SentCall;
    keys: string[];
    earlier: AttemptId | null;
  },
): AttemptId {
  const { skill, splits, place, sent, keys, earlier } = call;
  const scope = { item: place.item === null ? null : foreignItemId(skill, place.item), role: place.role };
  const beginnings = beginningsOf(keys);
  const named = earlier !== null && isAt(earlier, log.run, scope.item) ? earlier : null;
  const continued = place.attempt === null ? (named ?? book.continued(scope, beginnings)) : null;
  const nativeId = place.item ?? `conversation-${shortHash(hashText(keys.join(" ")))}`;
  const item = continued === null ? foreignItemId(skill, nativeId) : attemptParts(continued).item;
  if (!book.items.has(item)) {
    const scanned = foreignItem(skill, splits, { nativeId, family: place.family, task: taskOf(sent.messages) });
    append({ type: "items_scanned", data: { items: [scanned] } });
  }
  const begun = place.attempt === null ? book.nextAttempt : () => attemptId(log.run, item, place.attempt as number);
  const attempt = continued ?? begun(item);
  book.noteSent(attempt, place.role, beginnings);
  return attempt;
}

/** Whether an attempt is of a run and, where a call names one, of its item: answers are remembered beyond the end of their run. */
function isAt(attempt: AttemptId, run: RunId, item: ItemId | null): boolean {
  const parts = attemptParts(attempt);
  return parts.run === run && (item === null || parts.item === item);
}
