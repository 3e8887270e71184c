/**
 * OpenAI's three ways to ask for text, each by the path below `/v1` that it has.
 */
import type { WireApi } from "../../records/events.ts";
import type { Wire } from "./body.ts";
import { chat } from "./chat.ts";
import { completions } from "./completions.ts";
import { responses } from "./responses.ts";

export type { GivenAnswer, SentCall, Wire } from "./body.ts";

/** The paths that are recorded. */
export const API_PATHS: Readonly<Record<string, WireApi>> = {
  "/v1/chat/completions": "chat",
  "/v1/completions": "completions",
  "/v1/responses": "responses",
};

export const WIRES: Readonly<Record<WireApi, Wire>> = { chat, completions, responses };
