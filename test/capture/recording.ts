/** A recording proxy before a stub of a model's server, with what a test asks of it. */
import { type RecordOptions, startRecording } from "../../src/capture/index.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import type { LoggedEvent } from "../../src/records/events.ts";
import { plainSplits } from "../../src/skills/skill-splits.ts";
import type { Home } from "../../src/store/home.ts";
import { type StubAnswer, type StubRequest, type StubUpstream, startStubUpstream } from "./stub-upstream.ts";

export interface Recording {
  upstream: StubUpstream;
  /** Without `/v1`. */
  url: string;
  /** Sends a body as it is where it is a text. */
  post(path: string, body?: unknown): Promise<Response>;
  /** What the proxy took for bugs of its own. */
  bugs: unknown[];
  /** Stops both, as whoever stops the proxy does. */
  close(): Promise<void>;
}

export async function startRecordingAt(
  home: Home,
  answer: (request: StubRequest) => StubAnswer,
  changes: Partial<RecordOptions> = {},
): Promise<Recording> {
  const upstream = await startStubUpstream(answer);
  const bugs: unknown[] = [];
  const proxy = await startRecording({
    ...{ home, upstream: upstream.url, host: "127.0.0.1", port: 0, skill: "mine", splits: plainSplits("mine") },
    ...{ codeVersion: "test", config: {}, clock: systemClock, durability: "kernel", verify: null },
    ...{ idleMs: 3_600_000, timeoutMs: 5000, onSealed: () => {}, onBug: (error) => bugs.push(error), ...changes },
  });
  const headers = { "content-type": "application/json" };
  return {
    ...{ upstream, url: proxy.url, bugs },
    post: (path, body = {}) =>
      fetch(`${proxy.url}${path}`, {
        ...{ method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) },
      }),
    async close() {
      await proxy.close();
      await upstream.close();
    },
  };
}

export const user = (content: string) => ({ role: "user", content });

export const said = (content: string) => ({ role: "assistant", content });

/** A call of chat completions that says one thing. */
export const asked = (content: string, more: object = {}) => ({ model: "m", messages: [user(content)], ...more });

/** An answer of chat completions. */
export const answered = (content: string): string =>
  JSON.stringify({ choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }] });

/** What the messages of these hashes say. */
export function contentsOf(events: LoggedEvent[], hashes: readonly (string | null)[]): unknown[] {
  const byHash = new Map<string, unknown>();
  for (const event of events) if (event.type === "message") byHash.set(event.data.hash, event.data.message.content);
  return hashes.map((hash) => (hash === null ? null : byHash.get(hash)));
}
