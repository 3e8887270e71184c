/**
 * An agent of the user's own as a command: what it finds in its environment and on its stdin, and how it ended.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttemptId } from "../records/ids.ts";
import type { Item } from "../records/item.ts";
import type { Message } from "../records/message.ts";
import { type CommandEnd, runUserCommand } from "./user-command.ts";

export interface AgentCommand {
  /** For the shell. */
  command: string;
  timeoutMs: number;
}

export interface AgentPlace {
  attempt: AttemptId;
  item: Item;
  /** Where it works; null where the skill wants an answer and has no folder. */
  folder: string | null;
  task: string;
  /** Its base URL: everything that it asks there is recorded as this attempt's. */
  url: string;
  /** The model's name there. */
  model: string;
  signal: AbortSignal;
}

const MOST_ENVIRONMENT_CHARACTERS = 100_000;

/** Runs the agent once. It fails as a process does: that is its result, not an error. */
export async function runAgentCommand({ command, timeoutMs }: AgentCommand, place: AgentPlace): Promise<CommandEnd> {
  const { folder, signal, task } = place;
  const scratch = folder === null ? await mkdtemp(join(tmpdir(), "tracemill-agent-")) : null;
  try {
    const cwd = folder ?? (scratch as string);
    const given = { command, cwd, env: environmentOf(place), input: task, timeoutMs, signal };
    const ended = await runUserCommand(given);
    return ended.isTimedOut ? { ...ended, stderr: `${ended.stderr}\n[stopped after ${timeoutMs} ms]` } : ended;
  } finally {
    if (scratch !== null) await rm(scratch, { recursive: true, force: true });
  }
}

function environmentOf({ item, attempt, folder, task, url, model }: AgentPlace): Record<string, string> {
  return {
    OPENAI_BASE_URL: url,
    OPENAI_API_BASE: url,
    OPENAI_API_KEY: process.env.OPENAI_API_KEY ?? "none",
    TRACEMILL_MODEL: model,
    TRACEMILL_ITEM: item.item,
    TRACEMILL_ATTEMPT: attempt.slice(attempt.lastIndexOf("/") + 1),
    ...(folder !== null && { TRACEMILL_WORKSPACE: folder }),
    // A longer one is on stdin alone: the system has a limit for environments.
    ...(task.length < MOST_ENVIRONMENT_CHARACTERS && { TRACEMILL_TASK: task }),
  };
}

/** The task as the skill puts it to a model, as one text. */
export function taskText(prompt: readonly Message[]): string {
  return prompt.map(({ content }) => content ?? "").join("\n\n");
}
