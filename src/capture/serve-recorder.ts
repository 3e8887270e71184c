/** Lets a recorder's proxy listen, in front of one model's server. */
import { Agent } from "undici";
import { startWebServer } from "../foundation/web-server.ts";
import { createProxy } from "./proxy.ts";
import type { Recorder } from "./recorder.ts";

export interface ServedRecorder {
  /** Without `/v1`: a place may come before it. */
  url: string;
  /** Lets running calls finish for a while. */
  close(): Promise<void>;
}

/** Throws: `PORT_IN_USE`, `CANNOT_LISTEN`. */
export async function serveRecorder(
  recorder: Recorder,
  options: { upstream: string; host: string; port: number; timeoutMs: number; onBug(error: unknown): void },
): Promise<ServedRecorder> {
  const { host, port, timeoutMs, onBug } = options;
  const agent = new Agent({ connections: null, pipelining: 1 });
  const upstream = { url: options.upstream.replace(/\/+$/, ""), agent, timeoutMs };
  const server = await startWebServer(createProxy({ upstream, recorder, onBug }).fetch, { host, port });
  return {
    url: server.url,
    async close() {
      await server.close();
      await agent.destroy();
    },
  };
}
