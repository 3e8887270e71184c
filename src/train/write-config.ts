/**
 * Writes what another trainer needs to do a training elsewhere, and trains nothing.
 */
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { Refusal } from "../foundation/errors.ts";
import { backendNamed } from "./backends.ts";
import { checkDataset } from "./check-dataset.ts";
import { checkSettings } from "./check-settings.ts";
import { methodNamed } from "./methods.ts";
import { rehearsalOf } from "./rehearsal.ts";
import { resolveInputs } from "./resolve-inputs.ts";
import { checkSupport } from "./support.ts";
import type { TrainOptions } from "./train-adapter.ts";

/** Units: `command` runs in a shell where the backend is installed. */
export interface WrittenConfig {
  folder: string;
  command: string;
}

/**
 * Writes configuration and rows into a folder. Throws: `UNKNOWN_BACKEND`, `NO_CONFIG_TO_WRITE`, `BAD_SETTINGS`, as `resolveInputs`,
 * `checkDataset`, `rehearsalOf`, `checkSupport` and `checkSettings`, and what the backend refuses.
 */
export async function writeTrainConfig(
  given: Omit<TrainOptions, "clock" | "signal" | "onProgress" | "isUnplanned">,
  folder: string,
): Promise<WrittenConfig> {
  refuseOutputs(given);
  const { method, backend: id = "peft", launch = "single", from, rehearse } = given;
  const backend = await backendNamed(id);
  const { model, dataset, base, config: settings, ...inputs } = await resolveInputs(given);
  const config = { ...settings, rehearsal: rehearse === undefined ? null : await rehearsalOf(rehearse) };
  const asked = { method, launch, hasParent: from !== undefined };
  checkSupport({ id, ...backend }, { ...asked, modelType: model.modelType, config });
  checkSettings(config, { ...asked, validationRows: dataset.counts.validationRows });
  await checkDataset(dataset, {
    where: inputs.datasetFolder,
    base,
    method: { name: method, ...(await methodNamed(method)) },
  });
  if (backend.writeInputs === undefined) {
    throw new Refusal({
      code: "NO_CONFIG_TO_WRITE",
      message: `The backend "${id}" has no configuration of its own.`,
      fix: "write one with --backend axolotl, or leave --write-config out",
    });
  }
  const target = resolve(folder);
  await mkdir(target, { recursive: true });
  return { folder: target, command: await backend.writeInputs({ ...inputs, config }, target) };
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
