/** What an answer without scores says of an adapter: nothing where the server cannot score, and else that it was not asked. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { proveLive } from "../../src/commands/live-adapter.ts";
import type { NamedModel } from "../../src/commands/model-server.ts";
import { Refusal } from "../../src/foundation/errors.ts";
import { apiError } from "../../src/serve/api-error.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { registerAdapter, tinyAdapter } from "../fixtures/adapters.ts";
import { watchedContext } from "../fixtures/watched-context.ts";
import { addTinyBase } from "../train/sample-training.ts";

let folder: string;
let home: Home;
let known: NamedModel;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-live-"));
  home = homeAt(folder);
  const base = await addTinyBase(home);
  known = { base, adapter: await registerAdapter(home, base, { name: "sound", from: await tinyAdapter(1) }) };
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Asks a server that answers all with this. */
async function proven(status: number, body: object | string) {
  const said = typeof body === "string" ? body : JSON.stringify(body);
  const server = createServer((_, response) => response.writeHead(status).end(said)).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((done) => server.once("listening", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const { base, adapter } = known;
  const hashes = { baseHash: base.baseHash, adapterHash: adapter?.adapterHash ?? null };
  const endpoint = { url, model: "sound", name: "sound", ...hashes };
  const { context, told } = watchedContext(home);
  const proof = await proveLive({ endpoint, known, baseModel: "tiny", target: "vllm" }, context);
  return { proof, told };
}

describe("an adapter is unproven, with a warning, where the server cannot score prompts:", () => {
  test.each([
    ["it says that of the request", 400, { error: { message: "echo is not supported" } }],
    ["it does not know the request's keys", 422, { detail: [{ loc: ["body", "echo"], msg: "extra inputs" }] }],
    ["it has no completions", 404, ""],
    ["it has none for chat models", 404, { error: { message: "This is a chat model" } }],
    ["it takes no such request there", 405, ""],
    ["it says that it has no such thing", 501, { error: { message: "This server does not support completions" } }],
    ["it answers without scores", 200, { choices: [{ text: "no scores" }] }],
  ])("%s (%i)", async (_, status, body) => {
    const { proof, told } = await proven(status, body);
    expect(proof).toMatchObject({ state: "unproven", reason: expect.any(String) });
    expect(told.join("")).toContain("the server does not score prompts");
  });
});

describe("an endpoint has failed, and says with what, where", () => {
  const tooLong = apiError(new Refusal({ code: "PROMPT_TOO_LONG", message: "The prompt is longer than the context." }));
  test.each([
    ["it has no such model", 404, { error: { message: "The model `tiny` does not exist." } }],
    ["a proxy knows no such model", 400, { error: { message: "Invalid model name passed in model=tiny" } }],
    ["it wants a key", 401, { error: { message: "no key" } }],
    ["the key is not good for this", 403, { error: { message: "not for you" } }],
    ["a probe is longer than its context", tooLong.status, tooLong.body],
    ["a probe is longer than vLLM's", 400, { error: { message: "longer than the maximum model length of 64" } }],
    ["the body is too large for it", 413, { error: { message: "too large" } }],
  ])("%s (%i)", async (_, status, body) => {
    const [, said = ""] = /"message":"([^"]+)/.exec(JSON.stringify(body)) ?? [];
    await expect(proven(status, body)).rejects.toMatchObject({
      ...{ name: "Failure", code: "ENDPOINT_REFUSED", message: expect.stringContaining(said) },
    });
  });
});
