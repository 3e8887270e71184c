/** Calls that were made once, asked again through a real proxy: each is answered as it was then. */
import { type RunningProxy, startRecording } from "../../src/capture/index.ts";
import type { SealedRecording } from "../../src/capture/recorded-run.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { plainSplits } from "../../src/skills/skill-splits.ts";
import type { Home } from "../../src/store/home.ts";
import { startStubUpstream } from "./stub-upstream.ts";

export interface MadeCall {
  http_status: number;
  request: Record<string, unknown>;
  response: { message: unknown; finish_reason: string } | null;
}

/** Records the calls as a run of that name, and seals it. */
export async function recordCalls(home: Home, name: string, calls: readonly MadeCall[]): Promise<SealedRecording> {
  let asked = 0;
  const upstream = await startStubUpstream(() => {
    const { http_status, response } = calls[asked++] as MadeCall;
    if (response === null) return { status: http_status, pieces: ["{}"] };
    const choices = [{ index: 0, ...response }];
    return { pieces: [JSON.stringify({ id: "c", object: "chat.completion", created: 1, model: "gemma", choices })] };
  });
  const proxy = await startProxy(home, upstream.url);
  try {
    for (const { request } of calls) {
      await fetch(`${proxy.url}/r/${name}/v1/chat/completions`, { method: "POST", body: JSON.stringify(request) });
    }
    return (await (await fetch(`${proxy.url}/r/${name}/finish`, { method: "POST" })).json()) as SealedRecording;
  } finally {
    await proxy.close();
    await upstream.close();
  }
}

function startProxy(home: Home, upstream: string): Promise<RunningProxy> {
  return startRecording({
    ...{ home, upstream, host: "127.0.0.1", port: 0, skill: "stig", splits: plainSplits("stig"), codeVersion: "t" },
    ...{ config: {}, clock: systemClock, durability: "kernel", verify: null, idleMs: 3_600_000, timeoutMs: 5000 },
    ...{ onSealed: () => {}, onBug: () => {} },
  });
}
