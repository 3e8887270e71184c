/**
 * Writes what another trainer needs to do a training elsewhere, and trains nothing.
 */
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { Refusal } from "../foundation/errors.ts";
import { backendNamed } from "./backends.ts";
import { checkDataset } from "./check-dataset.ts";
import { methodNamed } from "./methods.ts";
import { type GivenInputs, resolveInputs } from "./resolve-inputs.ts";
import { checkSupport } from "./support.ts";

/** Units: `command` runs in a shell where the backend is installed. */
export interface WrittenConfig {
  folder: string;
  command: string;
}

/**
 * Writes configuration and rows into a folder. Throws: `UNKNOWN_BACKEND`, `NO_CONFIG_TO_WRITE`, as `resolveInputs`, `checkDataset` and
 * `checkSupport`, and what the backend refuses.
 */
export async function writeTrainConfig(
  given: GivenInputs & { backend: string },
  folder: string,
): Promise<WrittenConfig> {
  const backend = await backendNamed(given.backend);
  const { model, dataset, base, ...inputs } = await resolveInputs(given);
  const { config, datasetFolder } = inputs;
  const method = { name: given.method, ...(await methodNamed(given.method)) };
  await checkDataset(dataset, { where: datasetFolder, base, method });
  checkSupport({ id: given.backend, ...backend }, { method: given.method, modelType: model.modelType, config });
  if (backend.writeInputs === undefined) {
    throw new Refusal({
      code: "NO_CONFIG_TO_WRITE",
      message: `The backend "${given.backend}" has no configuration of its own.`,
      fix: "write one with --backend axolotl, or leave --write-config out",
    });
  }
  const target = resolve(folder);
  await mkdir(target, { recursive: true });
  return { folder: target, command: await backend.writeInputs(inputs, target) };
}
