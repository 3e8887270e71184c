/** What a role's rule says of runs, read back from the lake. */
import { join } from "node:path";
import type { RoleRule } from "../../src/curate/role-rule.ts";
import { loadExtension } from "../../src/foundation/discovery.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import type { Role } from "../../src/records/events.ts";
import type { RunId } from "../../src/records/ids.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";

export const ROLES_FOLDER = join(PACKAGE_FOLDER, "src", "curate", "roles");

export interface Label {
  run: string;
  turn: string;
  passed: boolean;
  value: number;
  confidence: number;
  rule: string;
}

/** All labels of a role, by turn. */
export async function labelsOf(home: Home, role: Role, runs: readonly RunId[]): Promise<Map<string, Label>> {
  const rule = await loadExtension<RoleRule>(ROLES_FOLDER, "role", role);
  const lake = await openLake(home);
  try {
    const rows = await lake.query(`SELECT * FROM (${await rule.labels(lake, runs)}) l ORDER BY turn`);
    return new Map(rows.map((row) => [String(row.turn), row as unknown as Label]));
  } finally {
    lake.close();
  }
}

/** A label in short: what it says and by which rule. */
export function told(label: Label | undefined): [boolean, string, number] | undefined {
  return label && [label.passed, label.rule, Number(label.confidence.toFixed(3))];
}
