/**
 * Why a dataset refuses a row that was chosen: what a format cannot say is counted under one of these names, never bent
 * until it fits. Does not know why curation refuses an example.
 */
export const REASONS = {
  "too-long": "more tokens than the dataset's limit",
  "prompt-not-prefix": "the base's template gives a prompt that does not begin the conversation",
  "template-refused": "the base's template cannot express the conversation",
  "answer-not-shown": "the base's template shows nothing of an answer, which would be trained as an empty one",
  "prompt-not-shown": "the base's template leaves out a tool, a call or a tool's result that the conversation holds",
  "nothing-trained": "no message of it is to be trained on",
  "lone-surrogate": "holds half of a surrogate pair, at which JSON readers fail for the whole file",
  "secret-left": "a secret is still to be seen in the row as it would be written",
  "other-tier": "not the kind of row that the format holds",
  "cannot-mask-a-step": "holds a step that is not trained on, which a reader of the format would train on",
  "arguments-not-an-object": "a tool call's arguments are not a JSON object",
  "arguments-lose-precision": "a tool call's arguments hold a whole number that no double can hold, or a key twice",
  "call-without-id": "a tool call or its result lacks the id that joins them",
  "result-without-call": "a tool's result does not follow the step that called it",
  "reasoning-is-lost": "holds reasoning beside the answer, for which the format has no place",
  "several-messages": "the completion is more than one message",
  "dialogue-is-not-flat": "the prompt holds answers or tool results, which one text would blur",
  "roles-do-not-alternate": "roles do not alternate as the reader demands; it would empty the row without a word",
  "text-beside-a-call": "an answer holds both text and a tool call, for which the format has one place",
  "no-answer-last": "the conversation does not end with an answer",
} as const;

export type Reason = keyof typeof REASONS;
