/**
 * `tracemill train --plan`: the plan as text, one line a device, what fits and how long it takes.
 */
import { counted } from "../foundation/counted.ts";
import { duration } from "../foundation/progress.ts";
import { textTable } from "../foundation/text-table.ts";
import { adviceText, rowsInWords, type TrainPlan } from "../train/index.ts";

const GIB = 2 ** 30;
const PARTS = [
  ...["weights", "embeddings", "towers", "lora", "gradients", "optimizer", "activations", "logits", "context"],
] as const;

/** Renders a plan for people. Units: GiB. */
export function planText(plan: TrainPlan): string {
  const { base, method, parameters, loraParameters, setting, fits, refused } = plan;
  const trained =
    setting.trains === "full" ? "all are trained" : `LoRA of rank ${setting.rank}: ${shortCount(loraParameters)}`;
  return [
    `Plan for ${method} on ${base}: ${shortCount(parameters)} weights, ${trained}`,
    "",
    deviceTable(plan),
    "",
    ...holderLines(plan),
    ...mainLines(plan),
    ...lengthLines(plan),
    ...timeLines(plan),
    fits ? "It fits." : `It does not fit: ${adviceText(plan)}.`,
    ...(refused === null ? [] : [`It is refused: ${refused.message} To mend it, ${refused.fix}.`]),
  ].join("\n");
}

function deviceTable({ devices }: TrainPlan): string {
  const rows = devices.map(({ name, blocks: [from, to], parts, neededBytes, freeBytes, headroomBytes }, index) => [
    ...[String(index), name, to > from ? `${from}-${to - 1}` : "none"],
    ...PARTS.map((part) => gib(parts[part])),
    ...[gib(neededBytes), gib(freeBytes), gib(headroomBytes)],
  ]);
  return textTable(["", "GiB on", "blocks", ...PARTS, "needed", "free", "headroom"], rows);
}

function holderLines({ devices }: TrainPlan): string[] {
  return devices.flatMap(({ name, holders }, index) =>
    holders.map(
      ({ pid, name: program, usedBytes }) => `${name} ${index}: ${program} (pid ${pid}) holds ${gib(usedBytes)} GiB`,
    ),
  );
}

function mainLines({ mainMemory, devices }: TrainPlan): string[] {
  if (mainMemory === null) return [];
  const { neededBytes, freeBytes } = mainMemory;
  const free = freeBytes === null ? "" : `, ${gib(freeBytes)} GiB are free`;
  return [
    `main      ${gib(neededBytes)} GiB of main memory for ${counted(devices.length, "process", "processes")} to read the base${free}`,
  ];
}

function lengthLines({ lengths, setting, longestTokens, largestBatch }: TrainPlan): string[] {
  const { rows, p50, p99, max, others, longer } = lengths;
  const tooLong = rowsInWords(longer);
  return [
    `rows      ${rows} of ${p50} tokens (median), ${p99} (99th of 100), ${max} (longest)`,
    ...(others > max ? [`          ${others} the longest that is validated on or rehearsed`] : []),
    ...(tooLong !== ""
      ? [`          ${tooLong} have more than --max-tokens and are refused, or dropped with --too-long drop`]
      : []),
    `planned   ${setting.batch} at once, of ${setting.tokens} tokens`,
    `at most   ${longestTokens} tokens in one row alone, or ${counted(largestBatch, "row")} of ${setting.tokens} tokens at once`,
  ];
}

function timeLines({ wallTimes, setting, devices }: TrainPlan): string[] {
  if (wallTimes.length === 0) return [];
  const atWork = setting.launch === "fsdp" ? `${devices.length} cards` : "one card";
  return [
    `time      with ${atWork} at work: ${wallTimes.map(({ card, durationMs }) => `${duration(durationMs)} on ${card}`).join(", ")}`,
  ];
}

function gib(bytes: number): string {
  return (bytes / GIB).toFixed(2);
}

function shortCount(weights: number): string {
  return weights >= 1e9 ? `${(weights / 1e9).toFixed(1)} B` : `${(weights / 1e6).toFixed(1)} M`;
}
