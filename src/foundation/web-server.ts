/**
 * Listens for a web application and ends without cutting answers off.
 */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { Refusal } from "./errors.ts";

const GRACE_MS = 10_000;
const SWEEP_MS = 50;

export interface WebServer {
  /** Without a slash at its end. */
  url: string;
  /** Lets running answers finish for a while, then calls `cutOff` and ends them; the port is free when it resolves. */
  close(cutOff?: () => void): Promise<void>;
}

/**
 * Starts to listen; 0 takes any free port.
 * Throws: `PORT_IN_USE`, `CANNOT_LISTEN`.
 */
export async function startWebServer(
  fetch: Parameters<typeof serve>[0]["fetch"],
  { host, port }: { host: string; port: number },
): Promise<WebServer> {
  const server = await listen(fetch, { host, port });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`,
    async close(cutOff) {
      const closed = new Promise((done) => server.close(done));
      // A connection that is kept alive falls idle after its last answer, and would stay open for seconds.
      const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
      const isIdle = await Promise.race([closed.then(() => true), sleep(GRACE_MS, false, { ref: false })]);
      if (!isIdle) {
        cutOff?.();
        server.closeAllConnections();
        await closed;
      }
      clearInterval(sweep);
    },
  };
}

function listen(
  fetch: Parameters<typeof serve>[0]["fetch"],
  { host, port }: { host: string; port: number },
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, () => resolve(server)) as Server;
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const isTaken = cause.code === "EADDRINUSE";
      reject(
        new Refusal({
          code: isTaken ? "PORT_IN_USE" : "CANNOT_LISTEN",
          message: `Cannot listen on ${host}:${port}.`,
          expected: "a free port on an address of this machine",
          got: cause.code ?? cause.message,
          fix: "--port 0 takes any free port",
          cause,
        }),
      );
    });
  });
}
