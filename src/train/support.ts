/**
 * Checks a training's method, family and settings against what a backend supports, before any work.
 */
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import type { TrainConfig } from "../records/adapter-manifest.ts";
import type { Launch, Support, TrainBackend } from "./backend.ts";

/** Throws: `UNKNOWN_METHOD`, `UNSUPPORTED_FAMILY`, `UNSUPPORTED_SETTING` naming the first setting that the backend has no equal of. */
export function checkSupport(
  { id, methods, supports }: Pick<TrainBackend, "methods" | "supports"> & { id: string },
  asked: { method: string; modelType: string; config: TrainConfig; launch?: Launch; hasParent?: boolean },
): void {
  const { method, modelType, config, launch = "single", hasParent = false } = asked;
  if (!methods.includes(method)) throw unknownName("method", method, methods);
  const { modelTypes, only } = supports;
  if (modelTypes !== null && !modelTypes.includes(modelType)) {
    throw new Refusal({
      code: "UNSUPPORTED_FAMILY",
      message: `The backend "${id}" does not train this model.`,
      expected: modelTypes.join(", "),
      got: `model_type ${modelType}`,
      fix: "train with --backend peft",
    });
  }
  const unknown = [
    ...(hasParent && !supports.parents ? ["--from"] : []),
    ...(supports.launches.includes(launch) ? [] : [`--launch ${launch}`]),
  ];
  if (unknown.length > 0) {
    throw new Refusal({
      code: "UNSUPPORTED_SETTING",
      message: `The backend "${id}" cannot train like this.`,
      expected: "a new adapter, in one process",
      got: unknown.join(", "),
      fix: "leave that out, or train with --backend peft",
    });
  }
  for (const [key, allowed] of Object.entries(only) as [keyof TrainConfig, readonly unknown[]][]) {
    if (!allowed.includes(config[key])) throw unsupported(id, key, { allowed, got: config[key] });
  }
}

function unsupported(
  id: string,
  key: keyof Support["only"],
  { allowed, got }: { allowed: readonly unknown[]; got: unknown },
): Refusal {
  return new Refusal({
    code: "UNSUPPORTED_SETTING",
    message: `The backend "${id}" has no equal of a setting.`,
    expected: `${key} ${allowed.map((value) => JSON.stringify(value)).join(" or ")}`,
    got: `${key} ${JSON.stringify(got)}`,
    fix: "leave that setting out, or train with --backend peft",
  });
}
