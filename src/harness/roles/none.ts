/**
 * A reflector that learns nothing.
 */
import type { ReflectorRule } from "../role.ts";

const rule: ReflectorRule = { role: "reflector", reflect: () => null };

export default rule;
