/**
 * Whether a training can be, as far as its options, its dataset and its parent tell: what `train`, its plan and a written
 * configuration refuse alike. Looks at nothing of this machine, as a plan or a configuration may be for another one.
 */
import type { AdapterManifest, TrainConfig } from "../records/adapter-manifest.ts";
import { readAdapterManifest } from "../store/manifests.ts";
import type { Launch, TrainBackend } from "./backend.ts";
import { backendNamed } from "./backends.ts";
import { checkDataset } from "./check-dataset.ts";
import { checkParent } from "./check-parent.ts";
import { checkSettings } from "./check-settings.ts";
import { methodNamed } from "./methods.ts";
import { type RehearsalRequest, rehearsalOf } from "./rehearsal.ts";
import { type GivenInputs, type ResolvedInputs, resolveInputs } from "./resolve-inputs.ts";
import { checkSupport } from "./support.ts";

export interface AskedTraining extends GivenInputs {
  /** An adapter whose weights are gone on from: its name, its hash or a prefix of it. */
  from?: string;
  backend?: string;
  launch?: Launch;
  /** General rows that are mixed in, so that what the base could is not forgotten. */
  rehearse?: RehearsalRequest;
}

/** A training whose settings go together; `config` has the rehearsal. */
export interface ResolvedTraining extends ResolvedInputs {
  method: string;
  backend: TrainBackend & { id: string };
  launch: Launch;
  parent: AdapterManifest | null;
}

/**
 * Resolves what was asked for and checks its settings.
 * Throws: `UNKNOWN_BACKEND`, `UNKNOWN_ADAPTER`, and as `resolveInputs`, `rehearsalOf`, `checkSupport` and `checkSettings`.
 */
export async function resolveTraining(asked: AskedTraining): Promise<ResolvedTraining> {
  const { home, method, from, rehearse, backend: id = "peft", launch = "single" } = asked;
  const backend = { id, ...(await backendNamed(id)) };
  const inputs = await resolveInputs(asked);
  const rehearsal = rehearse === undefined ? null : await rehearsalOf(rehearse);
  const config: TrainConfig = { ...inputs.config, rehearsal };
  const settings = { method, launch, hasParent: from !== undefined };
  checkSupport(backend, { ...settings, modelType: inputs.model.modelType, config });
  checkSettings(config, { ...settings, validationRows: inputs.dataset.counts.validationRows });
  const parent = from === undefined ? null : await readAdapterManifest(home, from);
  return { ...inputs, config, method, backend, launch, parent };
}

/** Checks what is trained on and gone on from. Throws: as `checkDataset` and `checkParent`. */
export async function checkSources(training: ResolvedTraining): Promise<void> {
  const { dataset, datasetFolder: where, base, method, parent, config } = training;
  await checkDataset(dataset, { where, base, method: { name: method, ...(await methodNamed(method)) } });
  if (parent !== null) checkParent(parent, { base, config });
}
