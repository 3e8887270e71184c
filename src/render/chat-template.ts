/**
 * A base's own chat template, run as Python's `apply_chat_template` runs it: messages and tools in, text out.
 * Does not know of tokens.
 */
import { Template } from "@huggingface/jinja";
import { Refusal } from "../foundation/errors.ts";
import type { Message, Tool } from "../records/message.ts";

export interface ChatTemplate {
  /** Throws: `TEMPLATE_REFUSED` with the template's own words (a role it does not know, an order it does not take). */
  render(messages: Message[], options: { tools: Tool[] | null; isPrompt: boolean }): string;
}

/**
 * Compiles a Jinja chat template; `specialTokens` are the names it may use, such as `bos_token`.
 * Throws: `BROKEN_TEMPLATE`.
 */
export function compileChatTemplate(source: string, specialTokens: Record<string, string>): ChatTemplate {
  const template = parseTemplate(source);
  return {
    render(messages, { tools, isPrompt }) {
      try {
        return template.render({
          ...specialTokens,
          messages: messages.map(templateMessage),
          tools,
          documents: null,
          add_generation_prompt: isPrompt,
        });
      } catch (error) {
        throw new Refusal({
          code: "TEMPLATE_REFUSED",
          message: "The base's chat template does not take this conversation.",
          got: (error as Error).message,
          cause: error,
        });
      }
    },
  };
}

function parseTemplate(source: string): Template {
  try {
    return new Template(source);
  } catch (error) {
    throw new Refusal({
      code: "BROKEN_TEMPLATE",
      message: "The base's chat template is not Jinja that can be run.",
      got: (error as Error).message,
      cause: error,
    });
  }
}

/**
 * Templates want tool-call arguments as an object, while they travel as JSON text; and text where there is no content,
 * which Jinja would not join to a string.
 */
function templateMessage(message: Message): Record<string, unknown> {
  return {
    ...message,
    content: message.content ?? "",
    ...(message.tool_calls && {
      tool_calls: message.tool_calls.map((call) => ({
        ...call,
        function: { ...call.function, arguments: argumentsObject(call.function.arguments) },
      })),
    }),
  };
}

function argumentsObject(given: string | Record<string, unknown>): unknown {
  if (typeof given !== "string") return given;
  try {
    const parsed: unknown = JSON.parse(given);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? parsed : given;
  } catch {
    return given;
  }
}
