/**
 * Writes what another trainer needs to do a training elsewhere, and trains nothing.
 */
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { Refusal } from "../foundation/errors.ts";
import { checkSources, resolveTraining } from "./check-asked.ts";
import type { TrainOptions } from "./train-adapter.ts";

/** Units: `command` runs in a shell where the backend is installed. */
export interface WrittenConfig {
  folder: string;
  command: string;
}

/**
 * Writes configuration and rows into a folder. Throws: `NO_CONFIG_TO_WRITE`, `BAD_SETTINGS`, as `resolveTraining` and
 * `checkSources`, and what the backend refuses.
 */
export async function writeTrainConfig(
  given: Omit<TrainOptions, "clock" | "signal" | "onProgress" | "isUnplanned">,
  folder: string,
): Promise<WrittenConfig> {
  refuseOutputs(given);
  const training = await resolveTraining(given);
  await checkSources(training);
  const { backend } = training;
  if (backend.writeInputs === undefined) {
    throw new Refusal({
      code: "NO_CONFIG_TO_WRITE",
      message: `The backend "${backend.id}" has no configuration of its own.`,
      fix: "write one with --backend axolotl, or leave --write-config out",
    });
  }
  const target = resolve(folder);
  await mkdir(target, { recursive: true });
  return { folder: target, command: await backend.writeInputs(training, target) };
}

/** Throws: `BAD_SETTINGS` for what is made of an adapter that is trained here. */
function refuseOutputs({ name, out, merge = false }: Pick<TrainOptions, "name" | "out" | "merge">): void {
  const unused = [
    ...(name !== undefined ? ["--name"] : []),
    ...(out !== undefined ? ["--out"] : []),
    ...(merge ? ["--merge"] : []),
  ];
  if (unused.length === 0) return;
  throw new Refusal({
    code: "BAD_SETTINGS",
    message: "An adapter that is trained elsewhere is not named, copied or merged here.",
    expected: "--write-config without them",
    got: unused.join(", "),
    fix: `leave out ${unused.join(" and ")}`,
  });
}
