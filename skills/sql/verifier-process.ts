/**
 * The verifier's own process: reads requests from stdin, answers on stdout, ends with its stdin.
 * A query that takes the process down takes nothing else with it. Items stay prepared.
 */
import { createInterface } from "node:readline";
import { type Database, openDatabase } from "./database.ts";
import { answerFromFile, describeFile } from "./file-tables.ts";
import { inspectTables } from "./inspect-tables.ts";
import { isSpent, judge, queryFault, screen, shownRow } from "./judge.ts";
import { dropSchema, type PreparedTask, prepareTask, QUERY_LIMIT_MS, ROW_LIMIT, refillTask } from "./prepared-task.ts";
import type { TaskDetail } from "./task-detail.ts";
import { type Answer, READY, type Request, requestSchema } from "./verifier-protocol.ts";

const MEMORY_LIMIT_MB = 256;
/** DuckDB does not count everything; beyond this the process ends itself. */
const RSS_LIMIT_BYTES = 1.2e9;
const WATCH_MS = 50;
const FILLED_TASKS = 64;

const database: Database = await openDatabase({ memoryLimitMb: MEMORY_LIMIT_MB });
await database.closeOff();
/** What is known of each item; the contents of those that were asked for last lie in the database too. */
const known = new Map<string, PreparedTask>();
const filled = new Map<string, PreparedTask>();
let made = 0;

async function prepared(task: TaskDetail): Promise<PreparedTask> {
  const key = JSON.stringify(task);
  let ready = known.get(key);
  if (ready === undefined) {
    ready = await prepareTask(database, task, `task${made++}`);
    known.set(key, ready);
  } else if (!filled.has(key)) await refillTask(database, task, ready);
  filled.delete(key);
  filled.set(key, ready);
  await dropOldest();
  return ready;
}

async function dropOldest(): Promise<void> {
  const [oldest] = filled;
  if (oldest === undefined || filled.size <= FILLED_TASKS) return;
  filled.delete(oldest[0]);
  for (const { schema } of oldest[1].contents) await dropSchema(database, schema);
}

function tableNames(task: TaskDetail): string[] {
  return task.tables.map(({ name }) => name);
}

async function answerItem(task: TaskDetail, query: string): Promise<Answer<"answer">> {
  const objection = await screen(database, query, tableNames(task));
  if (objection !== null) return { error: objection.reason, isSpent: false };
  const [first] = (await prepared(task)).contents;
  await database.run(`USE ${first?.schema}`);
  process.stdout.write(`${READY}\n`);
  const { columns, rows } = await database.query(query, { limitMs: QUERY_LIMIT_MS, rowLimit: ROW_LIMIT });
  return { columns, rows: rows.map(shownRow) };
}

async function respond(request: Request): Promise<unknown> {
  switch (request.verb) {
    case "verify": {
      const ready = await prepared(request.task);
      process.stdout.write(`${READY}\n`);
      return judge(database, { prepared: ready, tables: tableNames(request.task) }, request.query);
    }
    case "prepare": {
      const { contents, survivors } = await prepared(request.task);
      return { contents: contents.map(({ content, blocks }) => ({ content, rows: blocks.flat().length })), survivors };
    }
    case "inspect":
      return { columns: await inspectTables(database, request.schema, `look${made++}`) };
    case "answer":
      if (request.file !== null) return answerFromFile(request.file, request.query);
      return request.task === null ? { error: "no tables to ask" } : answerItem(request.task, request.query);
    case "describe":
      return { schema: await describeFile(request.file) };
  }
}

setInterval(() => {
  if (process.memoryUsage.rss() > RSS_LIMIT_BYTES) process.exit(70);
}, WATCH_MS);

const requests = createInterface({ input: process.stdin });
// At once, also while a query runs: whoever asked is gone.
requests.on("close", () => process.exit(0));
for await (const line of requests) {
  const request = requestSchema.parse(JSON.parse(line));
  const answer = await respond(request).catch((error: unknown) => ({
    error: queryFault(error).reason,
    isSpent: isSpent(error),
  }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
