/**
 * What a vLLM that runs is asked of its adapters: which it has, and to load and unload one. Does not know who started it.
 */
import { z } from "zod";
import { Failure, Refusal } from "../foundation/errors.ts";
import type { PeftAdapter } from "./target.ts";

export const LOAD_TIMEOUT_MS = 120_000;
const LOOK_TIMEOUT_MS = 10_000;

const modelsSchema = z.looseObject({ data: z.array(z.looseObject({ id: z.string(), root: z.string().nullish() })) });

export interface VllmAddress {
  origin: string;
  /** Null while it runs, and where that is not known. */
  whyEnded(): string | null;
}

/** What the server says of a model: the name, and where it was loaded from. */
export type VllmModel = z.infer<typeof modelsSchema>["data"][number];

/** Returns the models that it has; null where it does not tell. */
export async function modelsAt(origin: string): Promise<VllmModel[] | null> {
  const signal = AbortSignal.timeout(LOOK_TIMEOUT_MS);
  const response = await fetch(`${origin}/v1/models`, { signal }).catch(() => null);
  const listed = modelsSchema.safeParse(await response?.json().catch(() => null));
  return listed.success ? listed.data.data : null;
}

/** Throws: `RANK_TOO_HIGH`; failures of the boundary `endpoint`: `ADAPTER_NOT_LOADED`, `ENDPOINT_UNREACHABLE`, `SERVER_DIED`. */
export function loadAdapter(address: VllmAddress, { id, folder }: PeftAdapter): Promise<void> {
  return ask(address, "load_lora_adapter", { lora_name: id, lora_path: folder });
}

/** Throws: failures of the boundary `endpoint`, as `loadAdapter`. */
export function unloadAdapter(address: VllmAddress, id: string): Promise<void> {
  return ask(address, "unload_lora_adapter", { lora_name: id });
}

async function ask({ origin, whyEnded }: VllmAddress, path: string, body: object): Promise<void> {
  const url = `${origin}/v1/${path}`;
  const fail = (code: string, message: string, cause?: unknown) =>
    new Failure({ boundary: "endpoint", code, message: `${url}: ${message}`, cause });
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(LOAD_TIMEOUT_MS),
  }).catch((cause: Error) => {
    const why = whyEnded();
    if (why === null) throw fail("ENDPOINT_UNREACHABLE", cause.message, cause);
    throw fail("SERVER_DIED", why, cause);
  });
  const text = await response.text();
  if (!response.ok) refuseRank(text);
  if (!response.ok) throw fail("ADAPTER_NOT_LOADED", `status ${response.status}: ${text.slice(0, 500)}`);
}

/** vLLM says both ranks. Throws: `RANK_TOO_HIGH`. */
function refuseRank(said: string): void {
  const [, rank, most] = /rank (\d+) is greater than max_lora_rank[^\d]{0,20}(\d+)/i.exec(said) ?? [];
  if (rank === undefined) return;
  throw new Refusal({
    code: "RANK_TOO_HIGH",
    message: "The adapter has a higher rank than the running vLLM was started for.",
    expected: `a rank of at most ${most}`,
    got: `rank ${rank}`,
    fix: `start it again: tracemill then makes room for the rank, your own vLLM needs --max-lora-rank ${rank}`,
  });
}
