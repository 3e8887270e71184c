/**
 * Tool definitions as other programs keep them, in the shape that OpenAI's chat has.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { TurnPart } from "../../records/events.ts";
import type { RecordedTool } from "../../records/message.ts";
import { parseJson } from "../reading/json.ts";
import { isObject, type JsonObject, textIn } from "../reading/shapes.ts";

const SCHEMA_KEYS = ["parameters", "input_schema", "inputSchema", "args_schema"];

/** As `chatTools`, saying too where there are tools that cannot be read. */
export function toldTools(value: unknown): { tools: RecordedTool[] | null; clipped: TurnPart[] } {
  const tools = chatTools(value);
  const isThere = typeof value === "string" || (Array.isArray(value) && value.length > 0);
  return { tools, clipped: tools === null && isThere ? ["tools"] : [] };
}

/** The tools of a list, each an object or its JSON; null where there is none, or one that cannot be read. */
export function chatTools(value: unknown): RecordedTool[] | null {
  const given = typeof value === "string" ? parsed(value) : value;
  if (!Array.isArray(given) || given.length === 0) return null;
  const tools = given.map((tool) => chatTool(typeof tool === "string" ? parsed(tool) : tool));
  return tools.every((tool) => tool !== null) ? tools : null;
}

function chatTool(tool: Json | undefined): RecordedTool | null {
  if (!isObject(tool)) return null;
  const { toolSpec } = tool;
  const fields = isObject(tool.function) ? tool.function : isObject(toolSpec) ? toolSpec : tool;
  const name = textIn(fields.name);
  const type = textIn(tool.type) ?? "function";
  // A provider's own tool has no function to show.
  if (type !== "function" && type !== "custom") return { ...tool, type };
  if (name === null) return null;
  const description = textIn(fields.description);
  const parameters = schemaOf(fields);
  const isStrict = typeof fields.strict === "boolean" ? { strict: fields.strict } : {};
  const about = { ...(description !== null && { description }), ...(parameters !== null && { parameters }) };
  return { type: "function", function: { name, ...about, ...isStrict } };
}

function schemaOf(fields: JsonObject): JsonObject | null {
  const key = SCHEMA_KEYS.find((name) => Object.hasOwn(fields, name));
  const given = key === undefined ? null : fields[key];
  const schema = typeof given === "string" ? parsed(given) : given;
  if (!isObject(schema)) return null;
  const wrapped = schema.jsonSchema ?? schema.json;
  return isObject(wrapped) ? wrapped : schema;
}

function parsed(text: string): Json | undefined {
  const read = parseJson(text);
  return "value" in read ? read.value : undefined;
}
