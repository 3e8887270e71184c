/**
 * Where attempts act. Isolated: each attempt has a workspace of its own, from the skill's baseline. Progress: one
 * workspace whose solved items stay solved, as on a real host; a failed attempt is taken back to the last kept state.
 *
 * An environment that cannot be brought back is nobody's mistake: it is a Failure of the boundary `environment`.
 */
import type { ItemId } from "../records/ids.ts";
import type { Item } from "../records/item.ts";
import { atBoundary, skillFailure } from "../skills/at-boundary.ts";
import type { Skill, Workspace } from "../skills/contract.ts";

/** One attempt's use of a workspace. */
export interface Stay {
  workspace: Workspace;
  /**
   * Keeps the present state for the attempts to come and returns its name; null where each begins at the baseline.
   * Throws: a Failure of the boundary `environment` where the state is not sound; the one that was kept before stays.
   */
  keep(): Promise<string | null>;
  leave(): Promise<void>;
  /** Whether an action that only shows after `settle` waits for it beside others; else it is settled at once. */
  defers: boolean;
}

export interface Site {
  /** Throws: a Failure of the boundary `environment`, or `workspace` where the skill cannot open one. */
  enter(item: Item): Promise<Stay>;
  close(): Promise<void>;
}

/** Makes a site where every attempt has a fresh workspace below `folder`. */
export function isolatedSite(skill: Skill, folder: string): Site {
  return {
    async enter(item) {
      const workspace = await atBoundary("workspace", () => skill.open(item, { folder, from: null }));
      const leave = () => atBoundary("workspace", () => workspace.close());
      return { workspace, keep: async () => null, leave, defers: false };
    },
    close: async () => {},
  };
}

/** Shapes: `from` is the state that a resumed run goes on from; null is the baseline. */
export function progressSite(skill: Skill, folder: string, from: string | null): Site {
  let kept = from;
  let current: { item: ItemId; workspace: Workspace } | null = null;

  async function drop(): Promise<void> {
    const { workspace } = current ?? {};
    current = null;
    await workspace?.close();
  }

  async function workspaceFor(item: Item): Promise<Workspace> {
    if (current !== null && current.item === item.item && kept !== null) {
      const { workspace } = current;
      const state = kept;
      await atBoundary("environment", () => workspace.restore(state));
      return workspace;
    }
    await atBoundary("environment", drop);
    const workspace = await atBoundary("workspace", () => skill.open(item, { folder, from: kept }));
    current = { item: item.item, workspace };
    kept ??= await atBoundary("environment", () => workspace.checkpoint());
    return workspace;
  }

  async function keep(): Promise<string | null> {
    if (current === null) return kept;
    const { workspace } = current;
    await checkHealth(workspace);
    kept = await atBoundary("environment", () => workspace.checkpoint());
    return kept;
  }

  return {
    async enter(item) {
      try {
        const workspace = await workspaceFor(item);
        await checkHealth(workspace);
        return { workspace, keep, leave: async () => {}, defers: true };
      } catch (error) {
        await drop().catch(() => {}); // it is broken already; the next attempt opens another one
        throw error;
      }
    },
    close: () => atBoundary("environment", drop),
  };
}

async function checkHealth(workspace: Workspace): Promise<void> {
  const complaint = await atBoundary("environment", async () => (await workspace.health?.()) ?? null);
  if (complaint !== null) throw skillFailure("environment", complaint);
}
