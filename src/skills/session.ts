/**
 * One run of a skill's program: requests, their replies, and what fails when it ends, breaks the protocol or falls silent.
 *
 * Several requests may be open at once and replies come in any order. The time limit is on silence, so that requests
 * which wait behind a long one in a program that does one thing after the other are not taken for hung.
 */
import { Failure } from "../foundation/errors.ts";
import { printable } from "../foundation/printable.ts";
import {
  type Method,
  type Params,
  type ReplyError,
  type Result,
  replySchema,
  resultSchemas,
} from "./executable-protocol.ts";
import { startLineProcess } from "./line-process.ts";

const SHOWN = 200;
const DEPTH_LIMIT = 100;

export interface Program {
  /** The skill's id, for messages. */
  skill: string;
  command: readonly string[];
  folder: string;
  environment: readonly string[];
  /** The longest silence while a request is open. */
  silenceMs: number;
}

export interface Session {
  /** Throws: a Failure of the boundary `workspace`; `SKILL_ERROR` with the program's own words as its cause. */
  ask<M extends Method>(method: M, params: Params[M]): Promise<Result<M>>;
  /** Whether nothing more can be asked. */
  isOver(): boolean;
  /** Ends the program, and fails what is open. */
  close(): Promise<void>;
}

/** The program's own words of why it did not do what it was asked. */
export class SkillError extends Error {
  readonly details: Exclude<ReplyError, string>;

  constructor(error: ReplyError) {
    const details = typeof error === "string" ? { message: error } : error;
    super(details.message);
    this.details = details;
  }
}

interface OpenRequest {
  method: Method;
  resolve(result: unknown): void;
  reject(failure: Failure): void;
}

/** Starts the program; `onGone` is called when it has ended. */
export function startSession(program: Program, onGone: () => void): Session {
  const open = new Map<number, OpenRequest>();
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  let lastId = 0;
  const child = startLineProcess(program, {
    onLine: (line) => (isOver ? undefined : read(line)),
    onEnd: (reason) => {
      fail("SKILL_PROCESS_ENDED", reason);
      onGone();
    },
  });

  function fail(code: string, reason: string): void {
    isOver = true;
    clearTimeout(timer);
    for (const { method, reject } of open.values()) reject(failure(program, code, `asked for ${method}: ${reason}`));
    open.clear();
  }

  function stop(code: string, reason: string): void {
    fail(code, reason);
    void child.end("at-once");
  }

  function read(line: string): void {
    const { reply, request, complaint } = replyIn(line, open);
    if (request === undefined) {
      stop("BAD_REPLY", complaint);
      return;
    }
    open.delete(reply.id);
    watch();
    if ("error" in reply) request.reject(ownWords(program, request.method, reply.error));
    else conclude(program, request, reply.result);
  }

  /** Measures silence anew; nothing is measured, and nothing kept alive, while no request is open. */
  function watch(): void {
    const { silenceMs } = program;
    clearTimeout(timer);
    child.setAlive(open.size > 0);
    if (open.size > 0) timer = setTimeout(() => stop("SKILL_SILENT", `no reply within ${silenceMs} ms`), silenceMs);
  }

  return {
    ask: (method, params) =>
      new Promise((resolve, reject) => {
        const id = ++lastId;
        open.set(id, { method, resolve: resolve as (result: unknown) => void, reject });
        if (open.size === 1) watch();
        child.write(JSON.stringify({ id, method, params }));
      }),
    isOver: () => isOver || child.hasEnded(),
    async close() {
      fail("SKILL_CLOSED", "the skill was closed");
      await child.end("with-grace");
    },
  };
}

/** A line's reply and the request that it answers, or what is wrong with it. */
function replyIn(line: string, open: ReadonlyMap<number, OpenRequest>) {
  const reply = replySchema.safeParse(parsed(line)).data;
  const request = reply === undefined ? undefined : open.get(reply.id);
  if (reply !== undefined && request !== undefined) return { reply, request };
  const what = reply === undefined ? `no reply: ${shown(line)}` : `a reply to ${reply.id}, which is not open`;
  return { complaint: `it wrote ${what} (its stdout is for replies alone; print to stderr)` };
}

function conclude(program: Program, { method, resolve, reject }: OpenRequest, result: unknown): void {
  const checked = resultSchemas[method].safeParse(result);
  if (checked.success) {
    resolve(checked.data);
    return;
  }
  const issue = checked.error.issues[0];
  const path = issue?.path.join(".") || "the result";
  reject(failure(program, "BAD_REPLY", `its reply to ${method} does not fit: ${path}: ${issue?.message}`));
}

function ownWords({ skill }: Program, method: Method, error: ReplyError): Failure {
  const cause = new SkillError(error);
  const message = `The skill ${skill} refused ${method}: ${cause.message}`;
  return new Failure({ boundary: "workspace", code: "SKILL_ERROR", message, cause });
}

function failure({ skill }: Program, code: string, reason: string): Failure {
  return new Failure({ boundary: "workspace", code, message: `The program of the skill ${skill}, ${reason}` });
}

/** The JSON value of a line; undefined where it is none, or nested so deeply that reading it could exhaust the stack. */
function parsed(line: string): unknown {
  try {
    return wellFormed(JSON.parse(line), DEPTH_LIMIT);
  } catch {
    return undefined;
  }
}

/** The value without unpaired surrogates: no log could hold them. */
function wellFormed(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) throw new RangeError("nested too deeply");
  if (Array.isArray(value)) return value.map((member) => wellFormed(member, depth - 1));
  const entries = Object.entries(value).map(([key, member]) => [key.toWellFormed(), wellFormed(member, depth - 1)]);
  return Object.fromEntries(entries);
}

function shown(line: string): string {
  const text = printable(line);
  return JSON.stringify(text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}...`);
}
