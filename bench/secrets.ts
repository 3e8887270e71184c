/**
 * What it costs to look for secrets in a trace: every text of every row is read, so this bounds an export.
 */
import { performance } from "node:perf_hooks";
import { lintSource } from "@secretlint/core";
import { creator } from "@secretlint/secretlint-rule-preset-recommend";
import { openScrubber } from "../src/curate/secrets/scrubber.ts";
import { type Random, random } from "../src/foundation/random.ts";
import type { BenchRow } from "./bench-row.ts";

const PROMPT_CHARS = 4096;
const PROMPTS = 400;
const ROUNDS = 5;
/** The core grows slower with every call, so it is given no more than it needs for a figure. */
const LINTED = 40;

const SENTENCES = [
  "List the files that match the pattern and read the ones that name the failing test.\n",
  "$ grep -rn 'retryDelayMs' src --include='*.ts' | head -20\n",
  "src/queue/worker.ts:118:  const delayMs = backoff(attempt, { base: 250, limit: 30_000 });\n",
  "The tool returned exit code 1 and 14 lines of standard error, of which the last says why.\n",
  '{"name":"read_file","arguments":{"path":"src/queue/worker.ts","offset":100,"limit":40}}\n',
  "FAIL test/queue/worker.test.ts > a worker > waits longer after each failure (12.4 ms)\n",
  "SELECT status, count(*) FROM jobs WHERE created_at >= '2024-03-01' GROUP BY status ORDER BY 2 DESC;\n",
  "If the password policy asks for 15 characters, set minlen in /etc/security/pwquality.conf.\n",
  "    at processTicksAndRejections (node:internal/process/task_queues:95:5)\n",
  "diff --git a/src/queue/worker.ts b/src/queue/worker.ts\nindex 83db48f..bf269f4 100644\n",
  "See https://nodejs.org/api/timers.html for what a timer guarantees.\n",
];
const WITH_SECRET = "$ ssh lena@db7.prod.internal 'ls /home/lena/dumps' && curl -s http://10.20.0.7:9200/_cat/health\n";

/** Megabytes a second on prompts of 4 kB of which one in ten holds secrets; the peer is secretlint's own core. */
export async function benchSecrets(): Promise<BenchRow[]> {
  const draw = random("secrets");
  const prompts = Array.from({ length: PROMPTS }, (_, i) => promptOf(draw, i % 10 === 0));
  const scrubber = await openScrubber();
  const scrubAll = () => {
    const trace = scrubber.trace();
    for (const prompt of prompts) trace.scrub(prompt);
  };
  scrubAll();
  const scrubMs = Math.min(...Array.from({ length: ROUNDS }, () => elapsedMs(scrubAll)));
  const ours = (PROMPTS * PROMPT_CHARS) / 1e3 / scrubMs;

  const config = { rules: [{ id: creator.meta.id, rule: creator }] };
  const startMs = performance.now();
  for (const content of prompts.slice(0, LINTED))
    await lintSource({
      source: { content, filePath: "a.txt", ext: ".txt", contentType: "text" },
      options: { config },
    });
  const peer = (LINTED * PROMPT_CHARS) / 1e3 / (performance.now() - startMs);
  return [{ name: "scrub secrets, 4 kB prompts", ours, peer, ratio: ours / peer, unit: "MB/s" }];
}

function promptOf(draw: Random, holdsSecret: boolean): string {
  let text = holdsSecret ? WITH_SECRET : "";
  while (text.length < PROMPT_CHARS) text += draw.pick(SENTENCES);
  return text.slice(0, PROMPT_CHARS);
}

function elapsedMs(run: () => void): number {
  const startMs = performance.now();
  run();
  return performance.now() - startMs;
}
