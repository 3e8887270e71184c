import { Hono } from "hono";
import { expect, test } from "vitest";
import { holdPort } from "../../src/serve/held-port.ts";

const ANY = { host: "127.0.0.1", port: 0 };

test("who asks before there is an application is told to come back, and answered once there is one", async () => {
  const held = await holdPort(ANY);
  try {
    const ask = () => fetch(`${held.url}/v1/models`);
    const early = await ask();
    expect([early.status, early.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await early.json()).toMatchObject({ error: { code: "SERVER_PAUSED" } });
    held.answerBy(new Hono().get("/v1/models", (c) => c.text("models")));
    expect(await (await ask()).text()).toBe("models");
  } finally {
    await held.close();
  }
});

test("a port is held by one, until it is closed", async () => {
  const held = await holdPort(ANY);
  const same = { ...ANY, port: Number(new URL(held.url).port) };
  await expect(holdPort(same)).rejects.toMatchObject({ code: "PORT_IN_USE" });
  await held.close();
  await (await holdPort(same)).close();
});
