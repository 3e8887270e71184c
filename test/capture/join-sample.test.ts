/**
 * A short night of gemma-forge, made up: its log, which cuts and merges what was said, and the calls as they went over the wire.
 * Recorded through the real proxy and joined, each turn of the log has exactly the calls that it was of.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { RecordedMessage } from "../../src/records/message.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { eventsOf, only, temporaryHome } from "../harness/setting.ts";
import { imported, importInto } from "./importers/setting.ts";
import { type MadeCall, recordCalls } from "./replayed-calls.ts";

const ROOT = "xccdf_org.example.content_rule_sshd_root_login";
const UMASK = "xccdf_org.example.content_rule_umask_in_profile";
const CUT = { argument: 200, result: 500, answer: 1000 } as const;

const SYSTEM = {
  architect: "You choose what to mend next.",
  worker: "You mend one thing by one script.",
  auditor: "You doubt what others did.",
  reflector: "You say what was learnt.",
  probe: "You answer health checks.",
} as const;
const TOOLS = ["scan", "apply"].map((name) => ({
  type: "function",
  function: { name, parameters: { type: "object" } },
}));

type Role = keyof typeof SYSTEM;
type Message = Record<string, unknown>;

/** A turn of an agent: what it was asked, the tool that it called with what that said, and what it said in the end. */
interface Spoken {
  role: Role;
  asked: string;
  tool?: { name: string; args: Record<string, string>; result: string };
  text: string;
}

const long = (beginning: string, length: number) => beginning.padEnd(length, " and then it goes on as before;");
const applied = (script: string) => ({ name: "apply", args: { script }, result: long("APPLIED: ", 700) });

const CHOICE: Spoken = {
  ...{ role: "architect", asked: "What is next?" },
  tool: { name: "scan", args: {}, result: "two rules fail" },
  text: long(`I choose ${ROOT}. Write one line.`, 1300),
};
const FIRST: Spoken = {
  ...{ role: "worker", asked: "Mend it, attempt 1." },
  ...{ tool: applied(long("echo PermitRootLogin no >> /etc/ssh/sshd_config", 350)), text: "The line is written." },
};
const DOUBT: Spoken = { role: "auditor", asked: "Is it true?", text: "The service was not reloaded, so it is not." };
const LEARNT: Spoken = { role: "reflector", asked: "What now?", text: long("LESSON: reload the service.", 1200) };
const PIVOT: Spoken = { role: "architect", asked: "Go on?", text: "VERDICT: PIVOT\nNEW_PLAN: reload the service too" };
const SECOND: Spoken = {
  ...{ role: "worker", asked: "Mend it, attempt 2." },
  ...{ tool: applied("systemctl reload sshd"), text: "The service is reloaded." },
};
const OTHER: Spoken = { role: "architect", asked: "What is next?", text: `I choose ${UMASK}.` };
const TWICE: Spoken = { role: "worker", asked: "Mend it, attempt 1.", text: "It is set already." };
const NEVER: Spoken = { role: "reflector", asked: "What now?", text: "LESSON: look at the file first." };
const PROBE: Spoken = { role: "probe", asked: "ping", text: "pong" };

/** What was asked, in its order: one answer was asked for twice by a client that lost it, and one call is nobody's. */
const SAID = [PROBE, CHOICE, FIRST, DOUBT, LEARNT, PIVOT, SECOND, OTHER, TWICE, TWICE, NEVER];

function callsOf({ role, asked, tool, text }: Spoken, n: number): MadeCall[] {
  // Each has the time in it, as agents' prompts have, so that no two calls are the same.
  const opening: Message[] = [
    { role: "system", content: SYSTEM[role] },
    { role: "user", content: `${asked} (it is ${n} o'clock)` },
  ];
  const call = (messages: Message[], message: Message): MadeCall => ({
    http_status: 200,
    request: { model: "gemma", temperature: 0.3, messages, tools: TOOLS },
    response: { message, finish_reason: message.tool_calls === undefined ? "stop" : "tool_calls" },
  });
  const end = { role: "assistant", content: text };
  if (tool === undefined) return [call(opening, end)];
  const made = { id: `c${n}`, type: "function", function: { name: tool.name, arguments: JSON.stringify(tool.args) } };
  const asking = { role: "assistant", content: null, tool_calls: [made] };
  const told = { role: "tool", tool_call_id: `c${n}`, content: tool.result };
  return [call(opening, asking), call([...opening, asking, told], end)];
}

/** The events of a turn as the harness writes them: every text cut, its calls merged, its prompt left out. */
function eventsOfTurn({ role, tool, text }: Spoken, phase: string | null): Event[] {
  const args = Object.entries(tool?.args ?? {}).map(([name, value]) => [name, value.slice(0, CUT.argument)]);
  return [
    ...(phase === null ? [] : [["prompt_assembled", role, { phase }] as Event]),
    ...(tool === undefined
      ? []
      : ([
          ["tool_call", role, { tool: tool.name, args: Object.fromEntries(args) }],
          ["tool_result", role, { tool: tool.name, result: tool.result.slice(0, CUT.result) }],
        ] as Event[])),
    ["agent_response", role, { text: text.slice(0, CUT.answer), model: "gemma" }],
  ];
}

type Event = [type: string, agent: string, fields: Message];

const evaluation = (rule: string, result: "PASS" | "FAIL"): Event => [
  "evaluation",
  "harness",
  { health: "HEALTHY: all active", rule_check: `RULE_CHECK: ${rule} = ${result}` },
];
const EVENTS: Event[] = [
  ["run_start", "system", { run_id: "20260501-010000" }],
  ["iteration_start", "system", { iteration: 1 }],
  ...eventsOfTurn(CHOICE, "rule_selection"),
  ["attempt_start", "harness", { rule_id: ROOT, attempt: 1, title: "No root login" }],
  ...eventsOfTurn(FIRST, "apply_fix"),
  ...eventsOfTurn(DOUBT, null),
  evaluation(ROOT, "FAIL"),
  ["revert", "harness", { rule_id: ROOT, attempt: 1, restore_ok: true }],
  ...eventsOfTurn(LEARNT, "reflection"),
  ...eventsOfTurn(PIVOT, "reengagement"),
  ["attempt_start", "harness", { rule_id: ROOT, attempt: 2 }],
  ...eventsOfTurn(SECOND, "apply_fix"),
  evaluation(ROOT, "PASS"),
  ["remediated", "harness", { rule_id: ROOT, attempt: 2 }],
  ["iteration_start", "system", { iteration: 2 }],
  ...eventsOfTurn(OTHER, "rule_selection"),
  ["attempt_start", "harness", { rule_id: UMASK, attempt: 1, title: "umask" }],
  ...eventsOfTurn(TWICE, "apply_fix"),
  evaluation(UMASK, "FAIL"),
  ["revert", "harness", { rule_id: UMASK, attempt: 1, restore_ok: true }],
  ...eventsOfTurn(NEVER, "reflection"),
];

let home: Home;
let remove: () => void;

beforeEach(() => {
  ({ home, remove } = temporaryHome());
});

afterEach(() => remove());

it("a log that cuts is joined turn by turn with its calls: each is where it belongs, whole, and no other is", async () => {
  const made = SAID.map(callsOf);
  const calls = made.flat();
  const sealed = await recordCalls(home, "night", calls);
  const log = join(home.path, "run-20260501-010000.jsonl");
  const lines = EVENTS.map(([event_type, agent, data], i) =>
    JSON.stringify({ timestamp: `2026-05-01T01:00:${i + 10}.000000+00:00`, event_type, agent, data }),
  );
  writeFileSync(log, `${lines.join("\n")}\n`);
  const report = await importInto(home, log, { format: "gemma-forge", onto: "night" });
  const of = (turns: number, matched = turns, ambiguous = 0) => ({ turns, matched, ambiguous });
  expect(report).toMatchObject({ rejected: [], imported: [{ attempts: 3 }] });
  expect(report.joined).toEqual({
    ...{ recorded: sealed.run, recordedSkill: "stig", skill: "stig" },
    ...{ ...of(9, 8, 1), calls: 14, unmatchedCalls: 3 },
    roles: { architect: of(3), worker: of(3, 2, 1), auditor: of(1), reflector: of(2) },
  });

  const recorded = only(await eventsOf(home, sealed.run), "turn").map(({ turn }) => turn as string);
  const { events, turns } = await imported(home, report);
  const places = only(events, "turn").map(({ recordedAs }) => recorded.indexOf(recordedAs ?? ""));
  const placesOf = (spoken: Spoken) => (made[SAID.indexOf(spoken)] as MadeCall[]).map((call) => calls.indexOf(call));
  const expected: [string, Role, Spoken][] = [
    ["stig:@select/1", "architect", CHOICE],
    [`stig:${ROOT}/1`, "worker", FIRST],
    [`stig:${ROOT}/1`, "auditor", DOUBT],
    [`stig:${ROOT}/1`, "reflector", LEARNT],
    [`stig:${ROOT}/1`, "architect", PIVOT],
    [`stig:${ROOT}/2`, "worker", SECOND],
    ["stig:@select/2", "architect", OTHER],
    [`stig:${UMASK}/1`, "worker", TWICE],
    [`stig:${UMASK}/1`, "reflector", NEVER],
  ];
  expect(turns.map(({ attempt, role }, i) => [attempt, role, places[i]])).toEqual(
    expected.flatMap(([attempt, role, spoken]) =>
      spoken === TWICE ? [[attempt, role, -1]] : placesOf(spoken).map((place) => [attempt, role, place]),
    ),
  );
  for (const [i, { messages, response, missing }] of turns.entries()) {
    const call = calls[places[i] as number];
    if (call === undefined) expect(missing).toEqual(expect.arrayContaining(["prompt", "system-prompt"]));
    else {
      expect(missing).toEqual([]);
      expect([messages, response]).toEqual([call.request.messages, call.response?.message as RecordedMessage]);
    }
  }
  const done = only(events, "action").map(({ attempt, call, stdout }) => [attempt.slice(21), call.arguments, stdout]);
  expect(done).toEqual([
    ["stig:@select/1", {}, CHOICE.tool?.result],
    [`stig:${ROOT}/1`, FIRST.tool?.args, FIRST.tool?.result],
    [`stig:${ROOT}/2`, SECOND.tool?.args, SECOND.tool?.result],
  ]);
});

it("a joined log's labels stand on whole attempts: the lake has them as rows, and none for the turn that stayed ambiguous", async () => {
  await recordCalls(home, "night", SAID.flatMap(callsOf));
  const log = join(home.path, "run-20260501-010000.jsonl");
  const lines = EVENTS.map(([event_type, agent, data]) => JSON.stringify({ event_type, agent, data }));
  writeFileSync(log, `${lines.join("\n")}\n`);
  const report = await importInto(home, log, { format: "gemma-forge", onto: "night" });
  const { events } = await imported(home, report);
  expect(
    only(events, "verdict").map(({ attempt, verdict }) => [attempt.slice(21), verdict.passed, verdict.flags]),
  ).toEqual([
    [`stig:${ROOT}/1`, false, ["imported"]],
    [`stig:${ROOT}/2`, true, ["imported"]],
    [`stig:${UMASK}/1`, false, ["imported"]],
  ]);
  const lake = await openLake(home);
  const rows = await lake.query(
    `SELECT attempt, eval_passed, count(*) AS calls FROM examples
     WHERE run = '${report.imported[0]?.run}' AND "role" = 'worker' AND messages IS NOT NULL GROUP BY ALL ORDER BY ALL`,
  );
  lake.close();
  expect(
    rows.map(({ attempt, eval_passed, calls }) => [String(attempt).slice(21), eval_passed, Number(calls)]),
  ).toEqual([
    [`stig:${ROOT}/1`, false, 2],
    [`stig:${ROOT}/2`, true, 2],
  ]);
});
