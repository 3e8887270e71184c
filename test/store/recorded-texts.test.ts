import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { steppingClock } from "../../src/foundation/clock.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import type { Message, Tool } from "../../src/records/message.ts";
import type { Home } from "../../src/store/home.ts";
import { openTexts } from "../../src/store/recorded-texts.ts";
import { createRunLog } from "../../src/store/run-log.ts";
import { createBufferedLog } from "./buffered-log.ts";
import { sampleRunId, withHome } from "./sample-run.ts";

const RUN = sampleRunId(1);
const MESSAGES: Message[] = [
  { role: "user", content: 'naïve ☃ 🙂 "quoted" \n},"prev":"' },
  { role: "assistant", content: null, tool_calls: [{ type: "function", function: { name: "f", arguments: {} } }] },
  { role: "tool", content: "x".repeat(200_000), tool_call_id: "1" },
];
const TOOLS: Tool[] = [{ type: "function", function: { name: "f" } }];

async function record(home: Home) {
  const log = createRunLog(home, { run: RUN, clock: steppingClock(new Date("2026-11-01T12:00:00.000Z"), 1) });
  const hashes = [...MESSAGES.map((message) => log.message(message)), log.tools(TOOLS)];
  log.close();
  return hashes;
}

describe("recorded texts", () => {
  it("are read back by their hash, in any order", () =>
    withHome(async (home) => {
      const hashes = await record(home);
      const texts = openTexts(home);
      const read = hashes.toReversed().map((hash) => texts.read(RUN, hash));
      expect(read.toReversed()).toEqual([...MESSAGES, TOOLS]);
      texts.close();
    }));

  it("are absent where the log does not hold them", () =>
    withHome(async (home) => {
      await record(home);
      const texts = openTexts(home);
      expect(texts.read(RUN, hashText("another"))).toBeUndefined();
      texts.close();
    }));

  it("are absent where they are no longer what their hash says", () =>
    withHome(async (home) => {
      const [first = hashText(""), ...rest] = await record(home);
      const path = home.runLog(RUN);
      await writeFile(path, (await readFile(path, "utf8")).replace("naïve", "naive"));
      const texts = openTexts(home);
      expect(texts.read(RUN, first)).toBeUndefined();
      expect(rest.map((hash) => texts.read(RUN, hash))).toEqual([...MESSAGES.slice(1), TOOLS]);
      texts.close();
    }));

  it("are found among very many", () =>
    withHome(async (home) => {
      const log = createBufferedLog(home, { run: RUN, clock: steppingClock(new Date("2026-11-01T12:00:00.000Z"), 1) });
      const messages = Array.from({ length: 100_000 }, (_, n): Message => ({ role: "user", content: `number ${n}` }));
      const hashes = messages.map((message) => log.message(message));
      log.close();
      const texts = openTexts(home);
      const read = (n: number) => texts.read(RUN, hashes[n] as string);
      for (let n = 0; n < messages.length; n += 97) expect(read(n)).toEqual(messages[n]);
      texts.close();
    }));
});
