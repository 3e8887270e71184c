/** Bases and the endpoint that serves them beside their adapters. */
export { type AddBaseOptions, addBase, type Convert } from "./add-base.ts";
