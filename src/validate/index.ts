/** Validation: plan a paired comparison on held-out families, then decide it. */
export { decide } from "./decide.ts";
export { renderDecision } from "./decision-text.ts";
export { writePlan } from "./plan.ts";
