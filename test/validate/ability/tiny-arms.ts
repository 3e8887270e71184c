/** The tiny base beside an adapter of zeros and one that was trained to say one thing, served in this process, as endpoints. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/foundation/clock.ts";
import { loadRenderer, type Renderer } from "../../../src/render/renderer.ts";
import { addBase } from "../../../src/serve/add-base.ts";
import { startServer } from "../../../src/serve/server.ts";
import { homeAt } from "../../../src/store/home.ts";
import type { MeasuredEndpoint } from "../../../src/validate/ability/ask-endpoint.ts";
import { registerAdapter, type Spoil, tinyAdapter } from "../../fixtures/adapters.ts";
import { fluentAdapter } from "../../fixtures/fluent-adapter.ts";
import { tinyBase } from "../../fixtures/tiny-base.ts";

export interface TinyArms {
  base: MeasuredEndpoint;
  /** Its weights are all zero, so that it answers as the base does. */
  idle: MeasuredEndpoint;
  /** Trained to give one query whatever it is asked, so that it has forgotten the little that there was. */
  narrow: MeasuredEndpoint;
  renderer: Renderer;
  /** For files of the test. */
  folder: string;
  close(): Promise<void>;
}

export async function startTinyArms(contextTokens = 1024): Promise<TinyArms> {
  const folder = await mkdtemp(join(tmpdir(), "tracemill-ability-"));
  const home = homeAt(folder);
  const base = await addBase(home, {
    name: "tiny",
    ...(await tinyBase()),
    convert: async () => {},
    clock: systemClock,
  });
  const idle = await registerAdapter(home, base, { name: "idle", from: await tinyAdapter(1, "zero" as Spoil) });
  const narrow = await registerAdapter(home, base, { name: "narrow", from: await fluentAdapter() });
  const server = await startServer({
    ...{ home, base: "tiny", adapters: ["idle", "narrow"], parallel: 4, threads: 1, contextTokens, queueLimit: 64 },
  });
  const at = (model: string, adapterHash: MeasuredEndpoint["adapterHash"]): MeasuredEndpoint => ({
    ...{ url: server.url, model, baseHash: base.baseHash, adapterHash, contextTokens: server.contextTokens },
  });
  return {
    base: at("tiny", null),
    idle: at("idle", idle.adapterHash),
    narrow: at("narrow", narrow.adapterHash),
    renderer: await loadRenderer(home, base),
    folder,
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
