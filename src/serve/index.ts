/** Bases and the endpoint that serves them beside their adapters. */

export type { OnHash } from "../store/file-hashes.ts";
export { type AdapterTries, adapterTries } from "./adapter-tries.ts";
export { type AddBaseOptions, addBase } from "./add-base.ts";
export { type CanaryOptions, type CanaryReport, checkCanary } from "./canary.ts";
export type { Conversion, Convert } from "./convert.ts";
export type { RunningServer, ServeOptions } from "./running-server.ts";
export { scoresAtOnce } from "./scores-at-once.ts";
export type { Meaning } from "./served-names.ts";
export { checkServable, servedContextTokens, startServer } from "./server.ts";
