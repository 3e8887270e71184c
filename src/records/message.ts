/**
 * One chat message and one tool, in the field's shape (OpenAI chat completions), so that what is stored is what
 * went over the wire. Keys that are not known are kept.
 */
import { z } from "zod";

export const toolCallSchema = z.looseObject({
  id: z.string().optional(),
  type: z.literal("function").default("function"),
  function: z.looseObject({ name: z.string(), arguments: z.union([z.string(), z.record(z.string(), z.json())]) }),
});

export const messageSchema = z.looseObject({
  role: z.enum(["system", "user", "assistant", "tool"]),
  content: z.string().nullable(),
  tool_calls: z.array(toolCallSchema).optional(),
  tool_call_id: z.string().optional(),
  name: z.string().optional(),
});

export const toolSchema = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({
    name: z.string(),
    description: z.string().optional(),
    parameters: z.record(z.string(), z.json()).optional(),
  }),
});

/**
 * A message as another agent sent it: with roles, images and parts that no prompt of tracemill's has. What does not
 * parse as a `Message` is kept as it came and is no training text.
 */
export const recordedMessageSchema = z.looseObject({ role: z.string() }) as unknown as z.ZodType<RecordedMessage>;
export const recordedToolSchema = z.looseObject({ type: z.string() }) as unknown as z.ZodType<RecordedTool>;

export type RecordedMessage = { role: string } & Record<string, unknown>;
export type RecordedTool = { type: string } & Record<string, unknown>;
export type Message = z.infer<typeof messageSchema>;
export type Tool = z.infer<typeof toolSchema>;
