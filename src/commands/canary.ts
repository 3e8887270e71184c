/**
 * `tracemill canary`: proves that an adapter is live, at a running endpoint or at one that it starts for this.
 */
import { z } from "zod";
import { type CanaryReport, checkCanary } from "../serve/index.ts";
import { readAdapterManifest, readProbes } from "../store/manifests.ts";
import { defineCommand } from "./command.ts";
import { serveHere } from "./model-server.ts";
import { servedElsewhere } from "./served-elsewhere.ts";
import { DEFAULT_TARGET, serverInput, startingOf } from "./target-input.ts";

const input = z.object({
  adapter: z.string().describe("the adapter, by name or hash"),
  url: z.string().optional().describe("a running endpoint with /v1 at its end (default: one is started for this)"),
  model: z
    .string()
    .optional()
    .describe("the adapter's name at that endpoint (default: as the endpoint lists it, else its own)"),
  target: z
    .string()
    .optional()
    .describe(
      "what serves the adapter: llamacpp (in this process), llama-server, vllm; openai with a --url alone " +
        "(default: llamacpp; at a --url what it says that it is)",
    ),
  ...serverInput,
});

export default defineCommand<z.infer<typeof input>, CanaryReport>({
  summary: "Check that an endpoint really applies an adapter.",
  details: `Example: tracemill canary sql-v1

Scores the adapter's probes at the endpoint and holds them against the trainer's own figures.
Where the adapter is not live the command ends with ADAPTER_NOT_LIVE and exit code 2.`,
  positional: ["adapter"],
  input: input as z.ZodType<z.infer<typeof input>>,
  async run({ adapter: name, url, model, target, ...starting }, context) {
    const { home, signal } = context;
    const adapter = await readAdapterManifest(home, name);
    const probes = await readProbes(home, adapter.adapterHash);
    const asked = { adapter, probes, signal };
    if (url !== undefined) {
      const named = { model: adapter.name ?? adapter.adapterHash, calledThere: model };
      const { endpoint, baseModel, target: there } = await servedElsewhere(home, { ...named, url }, signal);
      return checkCanary({ ...asked, url, model: endpoint.model, baseModel, target: target ?? there });
    }
    const served = { target: target ?? DEFAULT_TARGET, base: adapter.base, adapters: [adapter.adapterHash] };
    const server = await serveHere({ ...served, parallel: 4, ...startingOf(starting) }, context);
    try {
      const names = { model: server.idOf(adapter.adapterHash), baseModel: server.idOf(null) };
      return await checkCanary({ ...asked, ...names, url: server.url, target: served.target });
    } finally {
      await server.close();
    }
  },
  print: ({ model, tokens, effect, difference, limits }) =>
    `${model} is live: over ${tokens} tokens it changes log-probabilities by ${effect.endpoint.toFixed(4)} ` +
    `(the trainer's figure: ${effect.trainer.toFixed(4)}) and lies ${difference.adapter.toFixed(4)} from the trainer's ` +
    `(at most ${limits.differenceAtMost.toFixed(4)}).`,
});
