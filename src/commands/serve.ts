/**
 * `tracemill serve`: an OpenAI-compatible endpoint of one base, the champions and any adapters of it, until Ctrl-C.
 */
import { once } from "node:events";
import { z } from "zod";
import { counted } from "../foundation/counted.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { RunningServer } from "../serve/index.ts";
import { type Context, defineCommand } from "./command.ts";
import { serveHere } from "./model-server.ts";
import { namesList } from "./names-list.ts";
import { warnOfOpenHost } from "./open-host.ts";
import { type Champions, calledChampions } from "./serve-champions.ts";
import { follow } from "./serve-follow.ts";
import { listedForPauses } from "./serve-pauses.ts";
import { proving } from "./serve-proofs.ts";
import { restarting } from "./serve-restarts.ts";
import { proveStarted, type Starting, startingWith } from "./serve-start.ts";
import { warnOfTaint } from "./taint.ts";
import { attachedServer, canaryInput, serverInput, startingOf, targetInput } from "./target-input.ts";

const input = z.object({
  base: z.string().describe("the base to serve"),
  adapter: namesList(z.string()).default([]).describe("an adapter to serve beside it, by name or hash"),
  champions: z.boolean().default(true).describe("leave out the champions, and what is promoted while it serves"),
  onTaint: z
    .enum(["warn", "refuse"])
    .default("warn")
    .describe("what happens to an adapter that learned from what is revoked"),
  port: z.number().int().min(0).max(65_535).default(8642).describe("port; 0 takes any free one"),
  host: z.string().default("127.0.0.1").describe("address to listen on; there is no access control"),
  parallel: z.number().int().min(1).max(256).default(16).describe("answers of one model that are evaluated together"),
  queueLimit: z.number().int().min(0).default(256).describe("answers of one model that may wait; more get status 429"),
  threads: z.number().int().min(1).optional().describe("threads for inference (default: the free cores, followed)"),
  ...targetInput,
  ...serverInput,
  ...canaryInput,
});

type Input = z.infer<typeof input>;

export default defineCommand<Input, void>({
  summary: "Serve a base, the champions and other adapters of it over an OpenAI-compatible endpoint.",
  details: `Example: tracemill serve --base smollm2 --adapter sql-v1

Which model answers is chosen by a request's "model": the base's name, an adapter's, or the name of a place (sql, stig/worker),
whose champion then answers. What is promoted or rolled back meanwhile is followed.`,
  input: input as z.ZodType<Input>,
  async run(options, context) {
    const { target, canary } = options;
    const refusesTaint = options.onTaint === "refuse";
    const starting = await startingWith({ ...options, refusesTaint }, context);
    const server = await start(options, starting, context);
    try {
      await proveStarted(server, { starting, target, canary }, context);
      const kept = new Set(starting.named.map(({ adapterHash }) => adapterHash));
      const asked = { target, canary, kept, refusesTaint, base: starting.base, failed: starting.failed };
      const champions = options.champions ? await calledChampions(server, asked, context) : null;
      if (champions === null) await warnOfTaint(options.adapter, context);
      await untilEnded(server, { options, base: starting.base, champions }, context);
    } finally {
      await server.close();
    }
  },
  print: () => "Stopped.",
});

function start(options: Input, { named, champions }: Starting, context: Context): Promise<RunningServer> {
  const { base, target, canary, port, host, parallel, queueLimit, threads } = options;
  const given = threads === undefined ? {} : { threads };
  const adapters = [...named, ...champions].map(({ adapterHash }) => adapterHash);
  return serveHere(
    { base, target, port, host, parallel, queueLimit, adapters, wantsProofs: canary, ...startingOf(options), ...given },
    context,
  );
}

async function untilEnded(
  server: RunningServer,
  { options, base, champions }: { options: Input; base: BaseManifest; champions: Champions | null },
  context: Context,
): Promise<void> {
  const { target, canary, host } = options;
  // One that was not started here gives no memory back, so it is not listed as one that does.
  const isOurs = attachedServer(target) === null;
  const pauses = isOurs ? await listedForPauses(server, { base: base.name, target }, context) : null;
  const isAnswering = () => pauses?.isPaused() !== true && server.ended() === null;
  const prove = proving(server, { base, target, canary }, context);
  const looks = [
    async () => pauses?.look(),
    restarting(server, context),
    async () => (isAnswering() ? prove() : undefined),
    async () => (isAnswering() ? champions?.look() : undefined),
  ];
  const stop = follow(looks, context);
  announce(server, { host, champions: champions?.now() ?? {} }, context);
  if (!context.signal.aborted) await once(context.signal, "abort");
  await stop();
  await pauses?.end();
}

function announce(
  { url, models, threads, contextTokens }: RunningServer,
  { host, champions }: { host: string; champions: Record<string, string | null> },
  context: Context,
): void {
  const { stdout, isJson } = context;
  warnOfOpenHost(host, context);
  if (isJson) {
    stdout.write(`${JSON.stringify({ url, models, champions, threads, contextTokens })}\n`);
    return;
  }
  const places = Object.entries(champions).map(([place, id]) => `${place} (${id ?? "nobody"})`);
  const names = [...models.map(({ id }) => id), ...places].join(", ");
  stdout.write(
    `Serving ${names} at ${url} (${counted(threads, "thread")}, ${contextTokens} tokens of context). Ctrl-C ends it.\n`,
  );
}
