/** The front of a server that answers by itself: here a real HTTP server that tells what it was asked. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashText } from "../../src/foundation/hashing.ts";
import { startWebServer, type WebServer } from "../../src/foundation/web-server.ts";
import { createFront, type FrontedModel } from "../../src/serve/front.ts";
import { openAnswers } from "../../src/serve/open-answers.ts";
import { provenNames } from "../../src/serve/proofs.ts";
import { createServedNames } from "../../src/serve/served-names.ts";
import { serverPaused } from "../../src/serve/server-paused.ts";

const baseHash = hashText("base");
const adapterHash = hashText("one");
const MODELS: FrontedModel[] = [
  { id: "base", upstream: "base", parent: null, baseHash, adapterHash: null },
  { id: "one", upstream: "one@1", parent: "base", baseHash, adapterHash },
];

let behind: Server;
let front: WebServer;
let isPaused = false;
/** The prompts that were being answered behind when another came. */
const beside = new Map<string, string[]>();
const underway = new Set<string>();
const answers = openAnswers();
const { names, proofs, silence } = provenNames(
  createServedNames(MODELS, { open: async () => {}, close: async () => {} }),
  { wanted: true },
);

beforeAll(async () => {
  proofs.passed("one");
  behind = createServer((request, response) => {
    if (request.url === "/v1/models") {
      response.end(
        JSON.stringify({ data: [{ id: "base", root: "/b" }, { id: "one@1", root: "/a" }, { id: "foreign" }] }),
      );
      return;
    }
    request.setEncoding("utf8");
    let body = "";
    request.on("data", (text: string) => {
      body += text;
    });
    request.on("end", async () => {
      const [, prompt] = /"prompt":"(\w+)"/.exec(body) ?? [];
      if (prompt !== undefined) {
        beside.set(prompt, [...underway]);
        underway.add(prompt);
        await sleep(100);
        underway.delete(prompt);
      }
      response.writeHead(201, { "x-told": "yes" });
      response.write(`${request.method} ${request.url} `);
      response.end(body);
    });
  }).listen(0, "127.0.0.1");
  await new Promise((done) => behind.once("listening", done));
  const origin = `http://127.0.0.1:${(behind.address() as AddressInfo).port}`;
  const nothing = async () => {};
  const server = {
    origin,
    pid: null,
    ended: () => null,
    takesSeed: true,
    scoresAlone: true,
    load: nothing,
    unload: nothing,
    missing: async () => [],
    close: nothing,
  };
  const app = createFront({
    ...{ names, baseId: "base", closing: new AbortController().signal, onBug: () => {} },
    enter() {
      if (isPaused) throw serverPaused();
      return { server, leave: answers.enter() };
    },
  });
  front = await startWebServer(app.fetch, { host: "127.0.0.1", port: 0 });
});

afterAll(async () => {
  await front.close();
  behind.close();
});

const post = (path: string, body: string) => fetch(`${front.url}${path}`, { method: "POST", body });

describe("a request", () => {
  test("goes on as it is where it names a model as the server does, to the last byte", async () => {
    const body = '{ "model":"base",  "seed": 9223372036854775807 }';
    const response = await post("/v1/completions?x=1", body);
    expect([response.status, response.headers.get("x-told")]).toEqual([201, "yes"]);
    expect(await response.text()).toBe(`POST /v1/completions?x=1 ${body}`);
  });

  test("goes on under the server's own name of what its name means", async () => {
    names.call(new Map([["sql", { id: "one" }]]));
    const response = await post("/v1/chat/completions", '{"model":"sql","messages":[]}');
    expect(await response.text()).toBe('POST /v1/chat/completions {"model":"one@1","messages":[]}');
  });

  test("is counted until it is answered", async () => {
    await (await post("/v1/completions", '{"model":"one"}')).text();
    await expect.poll(() => answers.isNone(), { timeout: 5000 }).toBe(true);
  });

  test("that is no JSON is left to the server to refuse", async () => {
    expect(await (await post("/v1/completions", "no JSON")).text()).toBe("POST /v1/completions no JSON");
  });

  test("of an unknown model, or one that would load an adapter, is not passed on", async () => {
    expect((await post("/v1/completions", '{"model":"nobody"}')).status).toBe(404);
    expect((await post("/v1/load_lora_adapter", '{"lora_name":"x","lora_path":"/x"}')).status).toBe(404);
  });

  test("whose prompt is scored is answered while nothing else is, where the server has to have it so", async () => {
    const scored = [
      { prompt: "b", echo: true, logprobs: 0 },
      { prompt: "c", prompt_logprobs: 1 },
    ];
    const others = [{ prompt: "a" }, ...scored, { prompt: "d", logprobs: 1 }, { prompt: "e", echo: true }];
    const asked = others.map((body) => post("/v1/completions", JSON.stringify({ model: "base", ...body })));
    await Promise.all(asked.map(async (answer) => (await answer).text()));
    expect([...beside.keys()].sort()).toEqual(["a", "b", "c", "d", "e"]);
    const pairs = [...beside].flatMap(([prompt, other]) => other.map((one) => prompt + one));
    expect(pairs.filter((pair) => /[bc]/.test(pair))).toEqual([]);
  });

  test("is told to come back during a pause", async () => {
    isPaused = true;
    const response = await post("/v1/completions", '{"model":"base"}');
    isPaused = false;
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await response.text()).toContain("SERVER_PAUSED");
  });

  test("of an adapter that is not proven is told to come back and why, by each of its names; the base answers", async () => {
    names.call(new Map([["sql", { id: "one" }]]));
    silence();
    for (const model of ["one", "sql"]) {
      const response = await post("/v1/completions", JSON.stringify({ model }));
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
      expect(await response.json()).toMatchObject({
        error: { code: "ADAPTER_UNPROVEN", message: "one answers once the canary has proven that it is live here." },
      });
    }
    expect((await post("/v1/completions", '{"model":"base"}')).status).toBe(201);
    const proving = await post("/v1/completions", JSON.stringify({ model: proofs.nameOf("one") }));
    expect(await proving.text()).toBe('POST /v1/completions {"model":"one@1"}');
    proofs.passed("one");
    expect((await post("/v1/completions", '{"model":"sql"}')).status).toBe(201);
  });
});

test("the list has the models by their names here with the hashes that they were loaded from, and no others", async () => {
  names.call(new Map([["sql", { id: "one" }]]));
  const { data } = (await (await fetch(`${front.url}/v1/models`)).json()) as { data: object[] };
  expect(data).toEqual([
    { id: "base", object: "model", root: "/b", parent: null, base_hash: baseHash, adapter_hash: null },
    { id: "one", object: "model", root: "/a", parent: "base", base_hash: baseHash, adapter_hash: adapterHash },
    { id: "sql", object: "model", root: "/a", parent: "base", base_hash: baseHash, adapter_hash: adapterHash },
  ]);
});
