/** What is not there, or was changed since, cannot be trained on. */
import type { Message } from "../../records/message.ts";
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary:
    "the prompt or the answer cannot be read as it was recorded, says something beside its text and calls (an older function call, a refusal, sounds, pictures), or is empty",
  isFixed: true,
  refuses: ({ messages, tipFree, response }) =>
    messages === null || tipFree === null || tipFree.every(isEmpty) || response === null || isEmpty(response),
};

function isEmpty({ content, tool_calls }: Message): boolean {
  return (content ?? "").trim() === "" && (tool_calls ?? []).length === 0;
}

export default filter;
