import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import type { Hash } from "../../../src/foundation/hashing.ts";
import { askEndpoint, identityOf, type MeasuredEndpoint } from "../../../src/validate/ability/ask-endpoint.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

interface Answer {
  status: number;
  body: string;
  headers?: Record<string, string>;
}

/** An endpoint that gives these answers in turn, the last one for ever; and what it was asked. */
async function answering(...answers: Answer[]) {
  const asked: unknown[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    asked.push(JSON.parse(Buffer.concat(parts).toString("utf8")));
    const { status, body, headers } = answers[Math.min(asked.length, answers.length) - 1] as Answer;
    response.writeHead(status, headers).end(body);
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await new Promise((done) => server.once("listening", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;
  return { endpoint: { url, model: "m", baseHash: null, adapterHash: null } as MeasuredEndpoint, asked };
}

const options = () => ({ choice: z.object({ text: z.string() }), signal: new AbortController().signal });
const fine = { status: 200, body: '{"choices":[{"text":"yes"}]}' };
const failure = (code: string, message: string) =>
  expect.objectContaining({ name: "Failure", boundary: "endpoint", code, message: expect.stringContaining(message) });

describe("an endpoint", () => {
  test("that is busy or broken for a while is asked again with the same request", async () => {
    const { endpoint, asked } = await answering({ status: 429, body: "" }, { status: 500, body: "oops" }, fine);
    expect(await askEndpoint(endpoint, { prompt: [1] }, options())).toEqual({ text: "yes" });
    expect(asked).toEqual(Array(3).fill({ model: "m", prompt: [1] }));
  }, 20_000);

  test("that says when to come back is asked again then", async () => {
    const busy = { status: 429, body: "" };
    const soon = await answering(...Array(4).fill({ ...busy, headers: { "retry-after": "0" } }), fine);
    const silent = await answering(busy, busy, fine);
    const waiting = new AbortController();
    const later = askEndpoint(silent.endpoint, {}, { ...options(), signal: waiting.signal });
    expect(await askEndpoint(soon.endpoint, {}, options())).toEqual({ text: "yes" });
    expect(silent.asked.length).toBeLessThan(3);
    waiting.abort();
    await expect(later).rejects.toThrow("aborted");
  }, 20_000);

  test.each([
    ["refuses the request", { status: 400, body: "too long" }, "ENDPOINT_REFUSED", "status 400: too long"],
    [
      "sends elsewhere",
      { status: 302, body: "", headers: { location: "http://127.0.0.1:9/" } },
      "ENDPOINT_REFUSED",
      "status 302",
    ],
    ["answers no JSON", { status: 200, body: "<html>" }, "MALFORMED_ANSWER", "as m"],
    ["answers without choices", { status: 200, body: '{"choices":[]}' }, "MALFORMED_ANSWER", "choices"],
  ])("that %s is asked once", async (_, answer, code, message) => {
    const { endpoint, asked } = await answering(answer);
    await expect(askEndpoint(endpoint, {}, options())).rejects.toThrow(failure(code, message));
    expect(asked).toHaveLength(1);
  });

  test("is the model that it serves, by hash, wherever and by whatever name it does", () => {
    const [base, adapter] = ["a", "b"].map((letter) => letter.repeat(64)) as [Hash, Hash];
    const one = { url: "http://one/v1", model: "x", baseHash: base, adapterHash: adapter };
    expect(identityOf(one)).toEqual(identityOf({ ...one, url: "http://two/v1", model: "y" }));
    expect(identityOf(one)).not.toEqual(identityOf({ ...one, adapterHash: null }));
    expect(identityOf({ ...one, baseHash: null })).not.toEqual(identityOf({ ...one, baseHash: null, model: "y" }));
  });
});
