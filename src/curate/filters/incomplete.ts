/** A text that was clipped or lost may never become a prompt or a target. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "a message of the prompt or the answer is missing or clipped",
  refuses: ({ messages, response, tipFree, isClipped, flags }) =>
    messages === null ||
    tipFree === null ||
    response === null ||
    isEmpty(response) ||
    isClipped ||
    flags.includes("clipped"),
};

function isEmpty({ content, tool_calls }: { content: string | null; tool_calls?: unknown[] | undefined }): boolean {
  return (content ?? "").trim() === "" && (tool_calls ?? []).length === 0;
}

export default filter;
