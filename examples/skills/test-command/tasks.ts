/**
 * Where the items come from: the tasks of the repository that this skill carries, or the user's own repositories.
 *
 * A task of this skill is a bug: `tasks.jsonl` says which text of which file is replaced by what in a copy of a repository
 * that is right. A user's repository is taken as it lies there.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Draft, Item } from "../../../src/skills/contract.ts";

export const ID = "test-command";

/** What `npm test` runs in the repository of this skill, without npm, which takes longer to start than the tests do. */
const COMMAND = "node --test-reporter=tap test/all.test.js";

/** What the tests stand on may not be written: else a task is solved by changing its tests. */
const PROTECTED = ["test", "tests", "package.json", "package-lock.json", "node_modules", ".npmrc", ".git"];

/** An item's detail. Paths below a repository are relative to it. */
export interface Task {
  /** A folder; beside this file where it is relative. */
  repository: string;
  /** Run by `sh -c` in a copy of the repository; it passes with exit code 0. */
  verify: string;
  limitSeconds: number;
  /** The file that an answer means where it names none. */
  file: string;
  /** Files that the prompt shows, as they are before anything was done. */
  shown: { path: string; text: string }[];
  protected: string[];
  bug: { file: string; right: string; wrong: string } | null;
}

/** An item's detail as this skill wrote it. */
export function taskOf(item: Item): Task {
  return item.detail as unknown as Task;
}

/** The folder of a task's repository, as an absolute path. */
export function repositoryOf({ repository }: Task): string {
  return resolve(import.meta.dirname, repository);
}

/** The file with a bug as it is without it. */
export function solutionOf(task: Task): { path: string; content: string } | null {
  if (task.bug === null) return null;
  return { path: task.bug.file, content: readFileSync(join(repositoryOf(task), task.bug.file), "utf8") };
}

/** The text with the bug in it. Throws where the right text does not stand there exactly once. */
export function withBug(text: string, { file, right, wrong }: NonNullable<Task["bug"]>): string {
  const [before, after, ...more] = text.split(right);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`${file} does not hold ${JSON.stringify(right)} exactly once`);
  return `${before}${wrong}${after}`;
}

/** Drafts the items of the repository that comes with the skill, each with one bug. */
export function ownTasks(): Draft[] {
  return linesOf(join(import.meta.dirname, "tasks.jsonl")).map(
    ({ value: { id, family, task, file, right, wrong } }) => {
      const bug = { file: String(file), right: String(right), wrong: String(wrong) };
      const detail: Task = {
        ...{
          repository: "repository",
          verify: COMMAND,
          limitSeconds: 60,
          file: bug.file,
          protected: PROTECTED,
          bug,
        },
        shown: [bug.file, `test/${family}.test.js`].map((path) => {
          const text = readFileSync(join(import.meta.dirname, "repository", path), "utf8");
          return { path, text: path === bug.file ? withBug(text, bug) : text };
        }),
      };
      return draftOf({ id, family, task: `${task} Mend ${bug.file}.` }, detail);
    },
  );
}

/**
 * The user's own tasks: `{id, family, task, repository, verify, show}` a line, and `protected`, `limitSeconds` where the
 * usual ones do not fit. `repository` is relative to the file of items; `show` lists files, the one to be mended first.
 */
export function tasksFrom(path: string): Draft[] {
  return linesOf(path).map(({ place, value: { id, family, task, ...line } }) => {
    const repository = resolve(dirname(path), String(line.repository));
    const show = (line.show ?? []) as string[];
    const texts = { id, family, task, repository: line.repository, verify: line.verify };
    const lacking = Object.entries(texts).find(([, text]) => typeof text !== "string" || text === "");
    if (lacking !== undefined) throw new Error(`${place}: ${lacking[0]} is missing`);
    const absent = ["", ...show].map((file) => join(repository, file)).find((file) => !existsSync(file));
    if (absent !== undefined) throw new Error(`${place}: there is no ${absent}`);
    const detail: Task = {
      ...{ repository, verify: String(line.verify), file: show[0] ?? "", bug: null },
      limitSeconds: Number(line.limitSeconds ?? 60),
      shown: show.map((file) => ({ path: file, text: readFileSync(join(repository, file), "utf8") })),
      protected: (line.protected as string[] | undefined) ?? PROTECTED,
    };
    return draftOf({ id, family, task }, detail);
  });
}

function draftOf({ id, family, task }: Record<"id" | "family" | "task", unknown>, detail: Task): Draft {
  const item = `${ID}:${id}` as Draft["item"];
  return { item, family: String(family), kind: null, task: String(task), detail: detail as unknown as Draft["detail"] };
}

interface Line {
  /** The file and the line's number, from 1. */
  place: string;
  value: Record<string, unknown>;
}

/** Throws where a line is no JSON object. */
function linesOf(path: string): Line[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.flatMap((line, i) => {
    if (line.trim() === "") return [];
    const place = `${path}:${i + 1}`;
    try {
      return [{ place, value: JSON.parse(line) as Record<string, unknown> }];
    } catch (cause) {
      throw new Error(`${place}: ${(cause as Error).message}`, { cause });
    }
  });
}
