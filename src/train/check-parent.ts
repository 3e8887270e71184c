/**
 * Whether a training can go on from an adapter: its weights are those of a LoRA of the same base and size.
 */
import { Refusal } from "../foundation/errors.ts";
import { shortHash } from "../foundation/hashing.ts";
import { type AdapterManifest, adapterLabel, type TrainConfig } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";

/** Throws: `PARENT_OF_ANOTHER_BASE`, `PARENT_OF_ANOTHER_SHAPE`. */
export function checkParent(parent: AdapterManifest, { base, config }: { base: BaseManifest; config: TrainConfig }) {
  const label = adapterLabel(parent);
  if (parent.baseHash !== base.baseHash) {
    throw new Refusal({
      code: "PARENT_OF_ANOTHER_BASE",
      message: `The adapter "${label}" is no adapter of the base "${base.name}".`,
      expected: `baseHash ${shortHash(base.baseHash)}`,
      got: `baseHash ${shortHash(parent.baseHash)} (of the base "${parent.base}")`,
      fix: `--base ${parent.base}, with a dataset that was exported for it, or another --from`,
    });
  }
  const { rank, alpha, trains } = parent.config;
  if (rank === config.rank && alpha === config.alpha && trains === config.trains) return;
  const shape = (of: TrainConfig) => `${of.trains}, rank ${of.rank}, alpha ${of.alpha}`;
  throw new Refusal({
    code: "PARENT_OF_ANOTHER_SHAPE",
    message: `The adapter "${label}" is of another size than the one to be trained.`,
    expected: shape(config),
    got: shape(parent.config),
    fix: `--rank ${rank} --alpha ${alpha}, or another --from`,
  });
}
