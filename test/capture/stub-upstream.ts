/**
 * A model's server on a real loopback port that answers with the bytes that a test gives it, in pieces where it is told.
 */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface StubRequest {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface StubAnswer {
  status?: number;
  type?: string;
  pieces: (string | Buffer)[];
  /** Between the pieces. */
  delayMs?: number;
  /** How it ends after the last piece: as it should, by a broken connection, or never. */
  end?: "end" | "close" | "hang";
}

export interface StubUpstream {
  /** With `/v1` at its end. */
  url: string;
  requests: StubRequest[];
  close(): Promise<void>;
}

export async function startStubUpstream(answer: (request: StubRequest) => StubAnswer): Promise<StubUpstream> {
  const requests: StubRequest[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part);
    const request = { path: incoming.url ?? "", headers: incoming.headers, body: Buffer.concat(parts).toString() };
    requests.push(request);
    const { status = 200, type = "application/json", pieces, delayMs = 0, end = "end" } = answer(request);
    outgoing.writeHead(status, { "content-type": type, "x-of-upstream": "yes" });
    for (const piece of pieces) {
      outgoing.write(piece);
      if (delayMs > 0) await sleep(delayMs);
    }
    if (end === "end") outgoing.end();
    else if (end === "close") outgoing.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const chunks = (...events: unknown[]): string[] => [
  ...events.map((event) => `data: ${JSON.stringify(event)}\n\n`),
  "data: [DONE]\n\n",
];
