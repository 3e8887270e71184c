/**
 * Agent Trajectory Interchange Format, version 1.7, one trajectory a line. Answers that are not trained on are steps with
 * `is_copied_context`, which keeps readers from training on them; label, reward and where the row came from have no place
 * of their own in the format and lie in `extra`.
 * Source: Harbor, rfcs/0001-trajectory-format.
 */
import type { Message } from "../../records/message.ts";
import type { AnswerRow } from "../../records/selection.ts";
import { type Column, jsonText, lineOf } from "../columns.ts";
import type { DatasetFormat } from "../format.ts";
import { ofAnswers, type Refused, reasoningOf, withObjectArguments } from "../message-forms.ts";
import { lacksId } from "../openai-messages.ts";

interface Step {
  step_id: number;
  source: "system" | "user" | "agent";
  message: string;
  model_name?: string;
  reasoning_content?: string;
  tool_calls?: { tool_call_id: string; function_name: string; arguments: unknown }[];
  observation?: { results: { source_call_id: string; content: string }[] };
  is_copied_context?: true;
}

type Line = AnswerRow & { id: string; steps: Step[] };

const COLUMNS: readonly Column<Line>[] = [
  { name: "schema_version", type: "text", json: () => jsonText("ATIF-v1.7") },
  { name: "session_id", type: "text", json: (row) => jsonText(row.run) },
  { name: "trajectory_id", type: "text", json: (row) => jsonText(row.id) },
  { name: "agent", type: "json", json: (row) => jsonText(agentOf(row)) },
  { name: "steps", type: "jsons", json: ({ steps }) => jsonText(steps) },
  { name: "extra", type: "json", json: (row) => jsonText(extraOf(row)) },
];

const format: DatasetFormat = {
  summary: "Harbor and other readers of ATIF v1.7: one trajectory a line",
  extension: "jsonl",
  tiers: ["demonstrations", "judged"],
  needsBase: false,
  columns: COLUMNS,
  reasons: ["call-without-id", "result-without-call", "arguments-not-an-object", "arguments-lose-precision"],
  line: ofAnswers((row) => {
    const recorded = [...row.prompt, ...row.completion];
    if (recorded.some(lacksId)) return { refused: "call-without-id" };
    const messages = withObjectArguments(recorded);
    if ("refused" in messages) return messages;
    const steps = stepsOf(messages, row);
    return "refused" in steps ? steps : lineOf(COLUMNS, { ...row, steps });
  }),
};

function stepsOf(messages: Message[], row: AnswerRow): Step[] | Refused {
  const steps: Step[] = [];
  for (const [at, message] of messages.entries()) {
    if (message.role === "tool") {
      const caller = steps.at(-1);
      const called = caller?.tool_calls?.find(({ tool_call_id }) => tool_call_id === message.tool_call_id);
      if (caller === undefined || called === undefined) return { refused: "result-without-call" };
      caller.observation ??= { results: [] };
      caller.observation.results.push({ source_call_id: called.tool_call_id, content: message.content ?? "" });
    } else {
      const isTrained = row.trained[at - row.prompt.length] === true;
      steps.push(stepOf(message, { step_id: steps.length + 1, model: isTrained ? row.model : null, isTrained }));
    }
  }
  return steps;
}

function stepOf(
  message: Message,
  { step_id, model, isTrained }: { step_id: number; model: string | null; isTrained: boolean },
): Step {
  const { role, content, tool_calls = [] } = message;
  if (role !== "assistant") return { step_id, source: role === "system" ? "system" : "user", message: content ?? "" };
  const reasoning = reasoningOf(message);
  const calls = tool_calls.map(({ id = "", function: { name, arguments: given } }) => ({
    tool_call_id: id,
    function_name: name,
    arguments: given,
  }));
  return {
    ...{ step_id, source: "agent", message: content ?? "" },
    ...(model !== null && { model_name: model }),
    ...(reasoning !== "" && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(!isTrained && { is_copied_context: true }),
  };
}

function agentOf({ role, model, tools }: Line): object {
  return {
    ...{ name: `tracemill ${role}`, version: "1" },
    ...(model !== null && { model_name: model }),
    ...(tools !== null && { tool_definitions: tools }),
  };
}

function extraOf(row: Line): object {
  const { label, reward, confidence, rule, skill, family, item, attempt, turn } = row;
  const { baseHash, adapterHash, verifierId, verifierVersion } = row;
  return {
    ...{ label, reward, confidence, rule, skill, family, item, attempt, turn },
    ...{ base_hash: baseHash, adapter_hash: adapterHash, verifier_id: verifierId, verifier_version: verifierVersion },
  };
}

export default format;
