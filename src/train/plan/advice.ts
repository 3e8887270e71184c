/**
 * The cheapest change that makes a training fit: every combination of the changes below is tried, and of those that fit
 * the one wins that costs least. What a change costs is an order, not a measure: first what changes no number (rows at
 * once), then what costs time, then what costs a little quality, last what costs rows or money.
 */
import { sumOf } from "../../foundation/sums.ts";
import type { Setting } from "./memory.ts";

/** One change, as people give it to `tracemill train`. */
export interface Change {
  option: string;
  cost: number;
  apply(draft: Draft): Draft;
}

/** What may be changed: the setting, and on how many devices it runs. */
export interface Draft {
  setting: Setting;
  devices: number;
}

export interface Advice {
  options: string[];
  draft: Draft;
}

interface Tried {
  fewer: number[];
  shorter: number[];
  canGrow: boolean;
}

const FEWER_ROWS_COST = 1;
const CHECKPOINTING_COST = 4;
const OPTIMIZER_COST = 8;
const QUANTIZATION_COST = 16;
const SHORTER_ROWS_COST = 64;
const MORE_DEVICES_COST = 256;
const MOST_DEVICES = 16;

/**
 * Returns the cheapest combination of changes that fits; null where none does.
 * Units: `fewer` are rows at once to try, from many to few, and `shorter` row lengths, from long to short; a device more is
 * tried only where `canGrow`.
 */
export function cheapestChange(
  draft: Draft,
  { fits, ...tried }: Tried & { fits(draft: Draft): boolean },
): Advice | null {
  const groups = changesOf(draft, tried);
  return combinations(groups)
    .map((changes) => ({ changes, cost: sumOf(changes, ({ cost }) => cost) }))
    .sort((a, b) => a.cost - b.cost)
    .reduce<Advice | null>((found, { changes }) => {
      if (found !== null || changes.length === 0) return found;
      const changed = changes.reduce((at, { apply }) => apply(at), draft);
      return fits(changed) ? { options: changes.map(({ option }) => option), draft: changed } : null;
    }, null);
}

/** Changes of one group exclude one another; none of a group may be taken. */
function changesOf({ setting, devices }: Draft, { fewer, shorter, canGrow }: Tried): Change[][] {
  const change = (option: string, cost: number, changed: Partial<Setting>): Change => ({
    ...{ option, cost },
    apply: (draft) => ({ ...draft, setting: { ...draft.setting, ...changed } }),
  });
  return [
    fewer.map((batch, n) => change(`--micro-batch-size ${batch}`, FEWER_ROWS_COST + n / fewer.length, { batch })),
    setting.gradientCheckpointing
      ? []
      : [change("--gradient-checkpointing", CHECKPOINTING_COST, { gradientCheckpointing: true })],
    setting.optimizer === "adamw-8bit" || setting.launch === "fsdp" // which shares no such state
      ? []
      : [change("--optimizer adamw-8bit", OPTIMIZER_COST, { optimizer: "adamw-8bit" })],
    setting.quantization === "nf4" || setting.trains === "full"
      ? []
      : [change("--quantize nf4", QUANTIZATION_COST, { quantization: "nf4" })],
    shorter.map((tokens, n) =>
      change(`--max-tokens ${tokens} --too-long drop`, SHORTER_ROWS_COST + n, {
        tokens,
        trainedTokens: Math.min(setting.trainedTokens, tokens),
        validatedTokens: Math.min(setting.validatedTokens, tokens),
      }),
    ),
    canGrow
      ? doubles(devices).map((more, n) => ({
          option: `${more} such GPUs`,
          cost: MORE_DEVICES_COST + 16 * n,
          apply: (draft: Draft) => ({ ...draft, devices: more }),
        }))
      : [],
  ];
}

function combinations(groups: Change[][]): Change[][] {
  return groups.reduce<Change[][]>(
    (all, group) => all.flatMap((chosen) => [chosen, ...group.map((change) => [...chosen, change])]),
    [[]],
  );
}

function doubles(devices: number): number[] {
  const more: number[] = [];
  for (let count = devices * 2; count <= MOST_DEVICES; count *= 2) more.push(count);
  return more;
}
