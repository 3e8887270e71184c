/**
 * `tracemill import`: other programs' recordings as sealed runs.
 */
import { z } from "zod";
import { type ImportReport, importFiles, readFamilyRule } from "../capture/index.ts";
import { counted } from "../foundation/counted.ts";
import { type Progress, startProgress } from "../foundation/progress.ts";
import { CODE_VERSION } from "../foundation/version.ts";
import { defineCommand } from "./command.ts";
import { sealedText } from "./record.ts";

const input = z.object({
  path: z.string().optional().describe("a file, or a folder with all its files"),
  format: z.string().default("auto").describe("whose files these are; auto tells it from how they begin"),
  skill: z
    .string()
    .regex(/^[a-z0-9-]+$/, "small letters, digits and dashes")
    .optional()
    .describe(
      "what the runs are about (default: with --onto what the recorded run is about, else what the format says)",
    ),
  familyBy: z
    .string()
    .optional()
    .describe("families: a field of an item's details, or /REGEX/ whose first group is taken from its id"),
  onto: z
    .string()
    .optional()
    .describe("the run that the proxy recorded of the same work: its calls, whole, take the place of the log's turns"),
  words: z
    .string()
    .optional()
    .describe("gemma-forge: a file with the fixed words of its prompts, to rebuild them: see docs/importers.md"),
  postgres: z.string().optional().describe("a database to read: postgres://user@host/name (gemma-forge)"),
});

export default defineCommand<z.infer<typeof input>, ImportReport>({
  summary: "Import what other programs recorded, as sealed runs.",
  details: `Example: tracemill import runs/ --format gemma-forge

Each run of the source becomes a sealed run, once: importing it again adds nothing. Every record lands in it or is counted
with its place and reason. What a format cannot tell is marked as missing, never made up: see docs/importers.md.`,
  input,
  positional: ["path"],
  async run(
    { path = null, skill = null, familyBy, postgres = null, onto = null, words = null, format },
    { home, clock, stderr, isJson, signal },
  ) {
    const shown: Progress[] = [];
    const report = await importFiles({
      ...{ path, format, skill, postgres, onto, words, home, clock, signal, codeVersion: CODE_VERSION },
      familyRule: familyBy === undefined ? null : readFamilyRule(familyBy),
      onProgress(done, total) {
        if (shown.length === 0)
          shown.push(startProgress({ title: "import (bytes)", total, clock, stream: stderr, isJson }));
        shown[0]?.update(done);
      },
    });
    shown[0]?.finish();
    return report;
  },
  print: printed,
  exitCode: ({ rejected }) => (rejected.length > 0 ? 3 : 0),
});

function printed({
  format,
  files,
  passedOver,
  others,
  imported,
  known,
  leftOut,
  replaced,
  revoked,
  joined,
  rejected,
  untoldFamilies,
  lossy,
}: ImportReport): string {
  return [
    `${counted(files, "file")} of the format ${format}${passedOverText(passedOver, others)}`,
    ...(imported.length + known.length + rejected.length === 0 && joined === null ? ["no run is in it"] : []),
    ...imported.map((run) => `${sealedText(run)}  (${run.nativeId})`),
    ...(joined === null ? [] : [joinedText(joined)]),
    ...replaced.map(replacedText),
    ...(known.length > 0 ? [`here already: ${known.join(", ")}`] : []),
    ...revoked.map(({ run, reason }) => `${run} is revoked, so that no dataset takes it: ${reason}`),
    ...leftOut.map(({ run, coveredBy }) => `${run} is left out of exports, as ${coveredBy} holds all of it`),
    ...rejected.map(
      ({ reason, count, where }) => `not used: ${counted(count, "record")}: ${reason}; at ${where.join(", ")}`,
    ),
    ...(untoldFamilies
      ? [
          `--family-by says nothing of ${counted(untoldFamilies, "item: it has the family", "items: they have the families")} of the format`,
        ]
      : []),
    ...(lossy.length > 0 && joined === null ? [`This format does not tell: ${lossy.join("; ")}.`] : []),
  ].join("\n");
}

/** Runs of other programs are no part of this import, and are not to be taken for imported. */
function passedOverText(passedOver: readonly string[], others: ImportReport["others"]): string {
  if (passedOver.length === 0) return "";
  const told = Object.entries(others).map(([format, files]) => `${format} ${files}`);
  return `; passed over ${counted(passedOver.length, "other")}${told.length > 0 ? ` (${told.join(", ")})` : ""}`;
}

function replacedText({ replaced, run, verdicts }: ImportReport["replaced"][number]): string {
  const carried =
    verdicts > 0
      ? `; ${counted(verdicts, "verdict that was", "verdicts that were")} given to it later ${verdicts === 1 ? "is" : "are"} said of that one, too`
      : "";
  return `${run} holds all of ${replaced}, which exports leave out from now on${carried}`;
}

function joinedText(joined: NonNullable<ImportReport["joined"]>): string {
  const { recorded, recordedSkill, skill, turns, matched, ambiguous, calls, unmatchedCalls, roles } = joined;
  const rest = `${ambiguous} more ${ambiguous === 1 ? "fits" : "fit"} a place that is not sure; ${unmatchedCalls} of ${counted(calls, "recorded call")} ${unmatchedCalls === 1 ? "belongs" : "belong"} to none`;
  const byRole = Object.entries(roles).map(
    ([role, counts]) => `  ${role}: ${counts.matched} of ${counts.turns}, ${counts.ambiguous} ambiguous`,
  );
  return [
    `joined with ${recorded}: ${matched} of ${counted(turns, "turn")} ${matched === 1 ? "has its" : "have their"} calls whole; ${rest}`,
    ...byRole,
    ...(skill === recordedSkill ? [] : [`  its skill is ${skill}, and no longer ${recordedSkill}`]),
  ].join("\n");
}
