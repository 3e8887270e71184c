/** Bases and the endpoint that serves them beside their adapters. */
export { type AdapterTries, adapterTries } from "./adapter-tries.ts";
export { addBase } from "./add-base.ts";
export { type CanaryReport, checkCanary } from "./canary.ts";
export type { Conversion } from "./convert.ts";
export type { RunningServer, ServeOptions } from "./running-server.ts";
export { scoresAtOnce } from "./scores-at-once.ts";
export type { Meaning } from "./served-names.ts";
export { checkServable, servedContextTokens, startServer } from "./server.ts";
