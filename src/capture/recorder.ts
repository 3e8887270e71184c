/**
 * Writes calls that were recorded on their way into run logs: finds or begins the run that a call names, gives it its
 * item, attempt and turn, and records it whole before anyone sees the answer. Does not know how a call came.
 */
import { Refusal } from "../foundation/errors.ts";
import { hashText, shortHash } from "../foundation/hashing.ts";
import { type AttemptId, attemptId, attemptParts } from "../records/ids.ts";
import type { RecordedMessage } from "../records/message.ts";
import type { Verdict } from "../records/verdict.ts";
import type { CallPlace } from "./call-place.ts";
import { keyOf } from "./conversations.ts";
import { foreignItem, foreignItemId } from "./foreign-item.ts";
import {
  openNamedRun,
  type RecordedRun,
  type RecordingOptions,
  type SealedRecording,
  sealRecording,
} from "./recorded-run.ts";
import { type CallEnd, type OpenCall, recordCall, recordFailure } from "./recorded-turn.ts";
import type { GivenAnswer, SentCall } from "./wire/index.ts";

export interface Recorder {
  /** Finds a call its place. Throws: `RUN_SEALED`, `LOCKED`, and what opening a log throws. */
  begin(place: CallPlace, sent: SentCall): Promise<OpenCall>;
  /** Records a call: when this resolves, its record is in the kernel's hands, or on the disk where that was asked for. */
  end(call: OpenCall, end: CallEnd): Promise<void>;
  /** Records what is wrong with a call that could not be read. */
  fail(place: CallPlace, failure: NonNullable<CallEnd["failure"]>): Promise<void>;
  /** Records an outcome of an attempt. Throws: `UNKNOWN_ATTEMPT`. */
  judge(place: CallPlace, verdict: Verdict): Promise<AttemptId>;
  /** Seals a run. Throws: `NOT_RECORDING` where nothing was recorded under that name. */
  finish(name: string | null): Promise<SealedRecording>;
  /** Seals the runs that nothing was recorded in for so long. */
  finishIdle(idleMs: number): Promise<SealedRecording[]>;
  /** Closes the logs; runs that are not sealed can be gone on with. */
  close(): Promise<void>;
}

const MOST_REMEMBERED = 10_000;

export function openRecorder(options: RecordingOptions & { durability: "kernel" | "fsync" }): Recorder {
  const { skill, clock, durability } = options;
  const runs = openRuns(options);
  const answers = rememberedAnswers();

  return {
    async begin(place, sent) {
      const run = await runs.of(place.run);
      const earlier = sent.previousResponse === null ? undefined : answers.get(sent.previousResponse);
      const whole = earlier === undefined ? sent : { ...sent, messages: [...earlier.messages, ...sent.messages] };
      const attempt = placed(run, { skill, place, sent: whole, earlier: earlier?.attempt ?? null });
      run.lastAtMs = clock().getTime();
      return { run: run.log.run, attempt, turnNumber: run.book.nextTurn(attempt), place, sent: whole };
    },
    async end(call, end) {
      const run = await runs.of(call.place.run);
      run.lastAtMs = clock().getTime();
      recordCall(run, call, end);
      if (call.sent.api === "responses" && end.answer !== null) answers.add(call, end.answer);
      if (durability === "fsync") await run.log.flush();
    },
    async fail(place, failure) {
      recordFailure(await runs.of(place.run), null, failure);
    },
    async judge(place, verdict) {
      const run = await runs.of(place.run);
      const attempt = attemptId(run.log.run, foreignItemId(skill, place.item ?? ""), place.attempt ?? 1);
      if (!run.book.knows(attempt)) throw unknownAttempt(attempt);
      run.append({ type: "verdict", data: { attempt, verdict } });
      return attempt;
    },
    ...{ finish: runs.finish, finishIdle: runs.finishIdle, close: runs.close },
  };
}

/** The runs that are being recorded, by name. */
function openRuns(
  options: RecordingOptions,
): Pick<Recorder, "finish" | "finishIdle" | "close"> & { of(name: string | null): Promise<RecordedRun> } {
  const open = new Map<string, Promise<RecordedRun>>();

  async function finish(name: string | null): Promise<SealedRecording> {
    const run = await open.get(name ?? "");
    if (run === undefined) throw notRecording(name);
    open.delete(name ?? "");
    return sealRecording(options, run);
  }

  return {
    of(name) {
      const key = name ?? "";
      const run = open.get(key) ?? openNamedRun(options, name);
      if (!open.has(key)) run.catch(() => open.delete(key));
      open.set(key, run);
      return run;
    },
    finish,
    async finishIdle(idleMs) {
      const sealed: SealedRecording[] = [];
      for (const [key, run] of [...open]) {
        const quietMs = options.clock().getTime() - (await run).lastAtMs;
        if (quietMs >= idleMs) sealed.push(await finish(key === "" ? null : key));
      }
      return sealed;
    },
    async close() {
      for (const run of await Promise.allSettled(open.values())) {
        if (run.status === "fulfilled") run.value.log.close();
      }
      open.clear();
    },
  };
}

interface Remembered {
  attempt: AttemptId;
  messages: RecordedMessage[];
}

/** Answers that a later call may name in place of their messages. */
function rememberedAnswers(): {
  get(id: string): Remembered | undefined;
  add(call: OpenCall, answer: GivenAnswer): void;
} {
  const answers = new Map<string, Remembered>();
  return {
    get: (id) => answers.get(id),
    add({ attempt, sent }, { id, message }) {
      if (id === null) return;
      answers.set(id, { attempt, messages: [...sent.messages, message] });
      if (answers.size > MOST_REMEMBERED) answers.delete(answers.keys().next().value as string);
    },
  };
}

/** The attempt of a call; its item is recorded where it is new. */
function placed(
  { book, log, append }: RecordedRun,
  call: { skill: string; place: CallPlace; sent: SentCall; earlier: AttemptId | null },
): AttemptId {
  const { skill, place, sent, earlier } = call;
  const keys = sent.messages.map(keyOf);
  const scope = { item: place.item === null ? null : foreignItemId(skill, place.item), role: place.role };
  const continued = place.attempt === null ? (earlier ?? book.continued(scope, keys)) : null;
  const nativeId = place.item ?? `conversation-${shortHash(hashText(keys.join(" ")))}`;
  const item = continued === null ? foreignItemId(skill, nativeId) : attemptParts(continued).item;
  if (!book.items.has(item)) {
    const { messages } = sent;
    const scanned = foreignItem(skill, { nativeId, family: place.family, messages });
    append({ type: "items_scanned", data: { items: [scanned] } });
  }
  const named = place.attempt === null ? book.nextAttempt : () => attemptId(log.run, item, place.attempt as number);
  const attempt = continued ?? named(item);
  book.noteSent(attempt, place.role, keys);
  return attempt;
}

function notRecording(name: string | null): Refusal {
  return new Refusal({
    code: "NOT_RECORDING",
    message: "Nothing was recorded here in this run.",
    expected: "the name of a run that calls came in",
    got: name ?? "the run of calls without a name",
  });
}

function unknownAttempt(attempt: AttemptId): Refusal {
  return new Refusal({
    code: "UNKNOWN_ATTEMPT",
    message: "No call of this attempt was recorded.",
    expected: "run, item and attempt as the calls named them",
    got: attempt,
  });
}
