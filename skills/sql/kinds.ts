/**
 * Every kind of question.
 */
import type { Kind } from "./kind.ts";
import { AGGREGATE_KINDS } from "./kinds-aggregate.ts";
import { FILTER_KINDS } from "./kinds-filter.ts";
import { GROUP_KINDS } from "./kinds-group.ts";
import { JOIN_KINDS } from "./kinds-join.ts";
import { ORDER_KINDS } from "./kinds-order.ts";

export const KINDS: readonly Kind[] = [
  ...FILTER_KINDS,
  ...AGGREGATE_KINDS,
  ...GROUP_KINDS,
  ...ORDER_KINDS,
  ...JOIN_KINDS,
];
