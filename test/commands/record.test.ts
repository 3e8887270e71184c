import { once } from "node:events";
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import type { Context } from "../../src/commands/command.ts";
import record from "../../src/commands/record.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { answered, asked } from "../capture/recording.ts";
import { startStubUpstream } from "../capture/stub-upstream.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { withHome } from "../store/sample-run.ts";

it.each([
  ["localhost:8000/v1", "a URL that begins with http:// or https://"],
  ["127.0.0.1:8000", "a URL that begins with http:// or https://"],
  ["http://me:secret@127.0.0.1:8000/v1", "no password, query or fragment"],
  ["http://127.0.0.1:8000/v1?key=secret", "no password, query or fragment"],
])("a recording before %s is refused for what is wrong with that URL", (upstream, expected) =>
  withHome(async (home) => {
    const refused = await tracemill(home, "record", "--upstream", upstream, "--skill", "mine", "--port", "0");
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining(`expected: ${expected}`)]);
  }),
);

it.each([
  [0, "judges each attempt of the runs that it seals", "true"],
  [3, "cannot be run on them", "no-such-program-here"],
])("a recording ends with %i where the command that verifies %s", (exitCode, _, verifyCmd) =>
  withHome(async (home) => {
    const upstream = await startStubUpstream(() => ({ pieces: [answered("right")] }));
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const stopping = new AbortController();
    const io = { stdout, stderr } as unknown as Pick<Context, "stdout" | "stderr">;
    const context: Context = { ...io, home, clock: systemClock, isJson: true, signal: stopping.signal };
    const options = record.input.parse({ upstream: upstream.url, skill: "mine", port: 0, idle: "1s", verifyCmd });
    const recording = record.run(options, context);
    try {
      const [begun] = await once(stdout, "data");
      const sealed = once(stderr, "data");
      const { url } = JSON.parse(String(begun)) as { url: string };
      await fetch(`${url}/chat/completions`, { method: "POST", body: JSON.stringify(asked("one")) });
      await sealed;
    } finally {
      stopping.abort();
      await upstream.close();
    }
    const result = await recording;
    expect(result.recorded).toMatchObject([{ attempts: 1 }]);
    expect(record.exitCode?.(result)).toBe(exitCode);
  }),
);
