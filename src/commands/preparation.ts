/**
 * What preparing a base takes beyond the store, and how a person sees it: Python that converts, and progress of the
 * conversion and of the hashing.
 */
import { z } from "zod";
import { type Progress, startProgress, tellStage, warn } from "../foundation/progress.ts";
import type { Conversion } from "../serve/index.ts";
import type { OnHash } from "../store/file-hashes.ts";
import type { Context } from "./command.ts";

const MEGABYTE = 1_000_000;

export interface Preparing {
  convert(conversion: Conversion): Promise<void>;
  onHash: OnHash;
  onStage(stage: string): void;
  onWarning(text: string): void;
}

/** Returns what `addBase` and `startServer` take to convert and to tell of it. */
export function preparing(context: Context): Preparing {
  return {
    convert: (conversion) => convert(conversion, context),
    onHash: shownHashing(context),
    onStage: (stage) => tellStage(stage, "serve", context),
    onWarning: (text) => warn(`Warning: ${text}`, context),
  };
}

async function convert(conversion: Conversion, context: Context): Promise<void> {
  const { python } = await import("../train/index.ts"); // Most preparations convert nothing.
  const runner = await python();
  await runner.run("hf" in conversion ? "gguf" : "base", conversion, {
    result: z.looseObject({ gguf: z.string() }),
    signal: context.signal,
    onEvent(event) {
      if (event.type === "progress") tellStage(event.stage, "converting", context);
    },
  });
}

/** One progress line for each group of files. */
export function shownHashing({ clock, stderr: stream, isJson }: Context): OnHash {
  let progress: Progress | null = null;
  return (doneBytes, totalBytes) => {
    const total = Math.ceil(totalBytes / MEGABYTE);
    progress ??= startProgress({ title: "hashing, MB", total, clock, stream, isJson });
    progress.update(Math.ceil(doneBytes / MEGABYTE));
    if (doneBytes < totalBytes) return;
    progress.finish();
    progress = null;
  };
}
