/** Clients and an agent that other people wrote, driven through the recording proxy as they are. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RunningProxy, startRecording } from "../../src/capture/index.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import type { RecordedMessage } from "../../src/records/message.ts";
import { plainSplits } from "../../src/skills/skill-splits.ts";
import type { Home } from "../../src/store/home.ts";
import { listRuns } from "../../src/store/runs.ts";
import { type ScriptedModel, startScriptedModel } from "../fixtures/scripted-model.ts";
import { eventsOf, only, temporaryHome } from "../harness/setting.ts";
import { chunks, type StubUpstream, startStubUpstream } from "./stub-upstream.ts";

const AGENTS = process.env.TRACEMILL_AGENTS ?? join(PACKAGE_FOLDER, ".venv-agents");
const hasAgents = existsSync(join(AGENTS, "bin", "mini"));
if (!hasAgents)
  console.log(`skipped: openai and mini-swe-agent of PyPI are not in ${AGENTS}: make agents installs them`);

let home: Home;
let remove: () => void;
let upstream: StubUpstream | undefined;
let proxy: RunningProxy | undefined;
let model: ScriptedModel | undefined;

beforeEach(() => {
  ({ home, remove } = temporaryHome());
});

afterEach(async () => {
  await proxy?.close();
  await upstream?.close();
  await model?.close();
  remove();
});

/** Asks for a tool call whole and as a stream, sends its result back, and asks by the responses API; prints what it got. */
const CLIENT = `
import json, os
from openai import OpenAI
client = OpenAI(base_url=os.environ["BASE"], api_key="sk-of-python")
tools = [{"type": "function", "function": {"name": "bash", "parameters": {"type": "object", "properties": {"command": {"type": "string"}}}}}]
messages = [{"role": "user", "content": "list the files"}]
whole = client.chat.completions.create(model="m", messages=messages, tools=tools)
call = whole.choices[0].message.tool_calls[0]
messages += [whole.choices[0].message.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": call.id, "content": "a.txt"}]
text = "".join(c.choices[0].delta.content or "" for c in client.chat.completions.create(model="m", messages=messages, tools=tools, stream=True) if c.choices)
answer = client.responses.create(model="m", input="and now?", instructions="be brief").output_text
print(json.dumps([call.function.arguments, text, answer]))
`;

describe.skipIf(!hasAgents)("other people's clients", () => {
  it("of OpenAI on PyPI: calls, streams and responses are answered and recorded whole", {
    timeout: 60_000,
  }, async () => {
    const message = { role: "assistant", content: null, refusal: null, tool_calls: [toolCall("c-1", "ls")] };
    const delta = (value: object, finish_reason: string | null = null) => ({
      ...{ id: "s", object: "chat.completion.chunk", created: 1, model: "m" },
      choices: [{ index: 0, delta: value, finish_reason }],
    });
    upstream = await startStubUpstream(({ path, body }) => {
      if (path.endsWith("/responses")) {
        const content = [{ type: "output_text", text: "nothing", annotations: [] }];
        const output = [{ id: "o", type: "message", role: "assistant", status: "completed", content }];
        return {
          pieces: [
            JSON.stringify({
              ...{ id: "r", object: "response", created_at: 1, model: "m" },
              status: "completed",
              output,
            }),
          ],
        };
      }
      if (JSON.parse(body).stream === true) {
        const pieces = chunks(
          delta({ role: "assistant", content: "There is " }),
          delta({ content: "one." }),
          delta({}, "stop"),
        );
        return { type: "text/event-stream", pieces };
      }
      const choices = [{ index: 0, message, finish_reason: "tool_calls" }];
      return {
        pieces: [JSON.stringify({ ...{ id: "c", object: "chat.completion", created: 1, model: "m" }, choices })],
      };
    });
    proxy = await startRecording({
      ...{
        home,
        upstream: upstream.url,
        host: "127.0.0.1",
        port: 0,
        skill: "mine",
        splits: plainSplits("mine"),
        codeVersion: "t",
        config: {},
      },
      ...{ clock: systemClock, durability: "kernel", verify: null, idleMs: 3_600_000, timeoutMs: 5000 },
      ...{ onSealed: () => {}, onBug: () => {} },
    });
    const { stdout } = await execa(join(AGENTS, "bin", "python"), ["-c", CLIENT], {
      env: { BASE: `${proxy.url}/r/py/v1` },
    });
    expect(JSON.parse(stdout)).toEqual(['{"command":"ls"}', "There is one.", "nothing"]);
    const { turns } = await recorded();
    expect(turns.map(({ attempt }) => attempt.slice(-2))).toEqual(["/1", "/1", "/1"]);
    expect(turns.map(({ prompt }) => prompt.map(({ role }) => role))).toEqual([
      ["user"],
      ["user", "assistant", "tool"],
      ["system", "user"],
    ]);
    expect(turns.map(({ answer }) => answer?.content)).toEqual([null, "There is one.", "nothing"]);
    expect(turns[0]?.answer?.tool_calls).toEqual([toolCall("c-1", "ls")]);
  });

  it("mini-swe-agent mends a repository, every call of it recorded, judged by the tests", {
    timeout: 120_000,
  }, async () => {
    const right = join(PACKAGE_FOLDER, "examples/skills/test-command/repository");
    model = await startScriptedModel({
      replies: ({ messages }) => {
        const done = messages.filter(({ role }) => role === "assistant").length;
        const path = /src\/\w+\.js/.exec(messages[1]?.content ?? "")?.[0];
        const command = done === 0 ? `cp ${right}/${path} ${path}` : "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT";
        const tool_calls = [toolCall(`call-${done}`, command)];
        return { content: `Step ${done + 1}.`, tool_calls, finish_reason: "tool_calls" };
      },
    });
    const scratch = mkdtempSync(join(tmpdir(), "tracemill-mini-"));
    const mini = `${join(AGENTS, "bin", "mini")} -y --exit-immediately --cost-limit 0 -c mini.yaml -o ${scratch}/last.traj.json`;
    const { stdout, exitCode } = await execa(
      process.execPath,
      [
        ...[join(PACKAGE_FOLDER, "src", "cli.ts"), "run", "--skill", "test-command", "--limit", "1", "--attempts", "1"],
        ...["--model", "scripted", "--endpoint", model.url, "--json"],
        ...["--agent", `${mini} -m openai/$TRACEMILL_MODEL -t "$TRACEMILL_TASK"`],
      ],
      {
        reject: false,
        env: {
          ...{ TRACEMILL_HOME: home.path, TRACEMILL_SKILLS: join(PACKAGE_FOLDER, "examples", "skills") },
          ...{ MSWEA_CONFIGURED: "true", MSWEA_SILENT_STARTUP: "1", MSWEA_COST_TRACKING: "ignore_errors" },
          ...{ MSWEA_GLOBAL_CONFIG_DIR: scratch, LITELLM_LOCAL_MODEL_COST_MAP: "True" },
        },
      },
    );
    rmSync(scratch, { recursive: true });
    expect([exitCode, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ attempts: 1, passed: 1 })]);
    const { events, turns } = await recorded();
    expect(turns).toHaveLength(2);
    expect(turns[1]?.prompt.map(({ role }) => role)).toEqual(["system", "user", "assistant", "tool"]);
    expect(turns[0]?.tools).toMatchObject([{ type: "function", function: { name: "bash" } }]);
    expect(only(events, "verdict")).toHaveLength(1);
  });
});

function toolCall(id: string, command: string) {
  return { id, type: "function", function: { name: "bash", arguments: JSON.stringify({ command }) } };
}

async function recorded() {
  const [run] = await listRuns(home);
  const events = await eventsOf(home, run?.run ?? ("" as never));
  const texts = new Map(only(events, "message").map(({ hash, message }) => [hash as string, message]));
  const tools = new Map(only(events, "tools").map((one) => [one.hash as string, one.tools]));
  const turns = only(events, "turn").map((turn) => ({
    attempt: turn.attempt as string,
    prompt: turn.messages.map((hash) => texts.get(hash) as RecordedMessage),
    answer: texts.get(turn.response ?? "") ?? null,
    tools: tools.get(turn.tools ?? "") ?? null,
  }));
  return { events, turns };
}
