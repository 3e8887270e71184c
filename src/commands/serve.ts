/**
 * `tracemill serve`: an OpenAI-compatible endpoint of one base and its adapters, until Ctrl-C.
 */
import { once } from "node:events";
import { z } from "zod";
import type { RunningServer } from "../serve/index.ts";
import { type Context, defineCommand } from "./command.ts";
import { serveHere } from "./model-server.ts";
import { warnOfOpenHost } from "./open-host.ts";
import { followPauses } from "./serve-pauses.ts";
import { warnOfTaint } from "./taint.ts";
import { attachedServer, targetInput } from "./target-input.ts";

const input = z.object({
  base: z.string().describe("the base to serve"),
  adapter: z.array(z.string()).default([]).describe("an adapter to serve beside it, by name or hash"),
  port: z.number().int().min(0).max(65_535).default(8642).describe("port; 0 takes any free one"),
  host: z.string().default("127.0.0.1").describe("address to listen on; there is no access control"),
  parallel: z.number().int().min(1).max(256).default(16).describe("answers of one model that are evaluated together"),
  queueLimit: z.number().int().min(0).default(256).describe("answers of one model that may wait; more get status 429"),
  contextTokens: z.number().int().min(16).optional().describe("longest prompt and answer together (default: 2048)"),
  threads: z.number().int().min(1).optional().describe("threads for inference (default: the free cores, followed)"),
  ...targetInput,
});

export default defineCommand<z.infer<typeof input>, void>({
  summary: "Serve a base and its adapters over an OpenAI-compatible endpoint.",
  details: `Example: tracemill serve --base smollm2 --adapter sql-v1

Which model answers is chosen by a request's "model": the base's name or an adapter's.`,
  input,
  async run({ adapter, contextTokens, threads, ...rest }, context) {
    const given = {
      ...(contextTokens !== undefined && { contextTokens }),
      ...(threads !== undefined && { threads }),
    };
    const server = await serveHere({ ...rest, ...given, adapters: adapter }, context);
    await warnOfTaint(adapter, context);
    // One that was not started here gives no memory back, so it is not listed as one that does.
    const isOurs = attachedServer(rest.target) === null;
    const unlist = isOurs ? await followPauses(server, rest, context) : async () => {};
    announce(server, rest.host, context);
    if (!context.signal.aborted) await once(context.signal, "abort");
    await unlist();
    await server.close();
  },
  print: () => "Stopped.",
});

function announce({ url, models, threads, contextTokens }: RunningServer, host: string, context: Context): void {
  const { stdout, isJson } = context;
  warnOfOpenHost(host, context);
  if (isJson) {
    stdout.write(`${JSON.stringify({ url, models, threads, contextTokens })}\n`);
    return;
  }
  const names = models.map(({ id }) => id).join(", ");
  stdout.write(
    `Serving ${names} at ${url} (${threads} threads, ${contextTokens} tokens of context). Ctrl-C ends it.\n`,
  );
}
