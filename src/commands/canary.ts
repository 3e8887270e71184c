/**
 * `tracemill canary`: proves that an adapter is live, at a running endpoint or at one that it starts for this.
 */
import { z } from "zod";
import { type CanaryReport, checkCanary } from "../serve/index.ts";
import { readAdapterManifest, readProbes } from "../store/manifests.ts";
import { defineCommand } from "./command.ts";
import { serveHere } from "./model-server.ts";
import { serverInput, startingOf, targetInput } from "./target-input.ts";

const input = z.object({
  adapter: z.string().describe("the adapter, by name or hash"),
  url: z.string().optional().describe("a running endpoint with /v1 at its end (default: one is started for this)"),
  model: z.string().optional().describe("the adapter's name at that endpoint (default: its own)"),
  ...targetInput,
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
    const asked = {
      adapter,
      probes,
      target,
      baseModel: adapter.base,
      model: model ?? adapter.name ?? adapter.adapterHash,
      signal,
    };
    if (url !== undefined) return checkCanary({ ...asked, url });
    const server = await serveHere(
      { base: adapter.base, adapters: [adapter.adapterHash], parallel: 4, target, ...startingOf(starting) },
      context,
    );
    try {
      return await checkCanary({ ...asked, url: server.url });
    } finally {
      await server.close();
    }
  },
  print: ({ model, tokens, effect, difference, limits }) =>
    `${model} is live: over ${tokens} tokens it changes log-probabilities by ${effect.endpoint.toFixed(4)} ` +
    `(the trainer's figure: ${effect.trainer.toFixed(4)}) and lies ${difference.adapter.toFixed(4)} from the trainer's ` +
    `(at most ${limits.differenceAtMost.toFixed(4)}).`,
});
