/**
 * One workspace of an executable skill: a name that stands for it in the program. Where the program ended since, the
 * workspace is lost, and a restore opens it again from the kept state.
 */
import { randomBytes } from "node:crypto";
import { assert, Failure } from "../foundation/errors.ts";
import type { Item } from "../records/item.ts";
import type { Verdict } from "../records/verdict.ts";
import type { Place, SkillManifest, Workspace } from "./contract.ts";
import type { Conversation } from "./conversation.ts";
import type { OPTIONAL_METHODS, Result } from "./executable-protocol.ts";

interface Owner {
  conversation: Conversation;
  manifest: SkillManifest;
  optional: readonly (typeof OPTIONAL_METHODS)[number][];
}

/** Opens an item in the skill's program. Throws: what asking the program throws. */
export async function openExecutableWorkspace(owner: Owner, item: Item, { folder, from }: Place): Promise<Workspace> {
  const { conversation, manifest, optional } = owner;
  let workspace = "";
  let openedIn = 0;

  async function begin(state: string | null): Promise<void> {
    workspace = `w${randomBytes(6).toString("hex")}`;
    openedIn = conversation.generation();
    await conversation.ask("open", { workspace, item, folder, from: state });
  }

  const isLost = () => conversation.generation() !== openedIn;

  /** Throws: a Failure `WORKSPACE_LOST` where the program ended since the workspace was opened. */
  function here(): { workspace: string } {
    if (!isLost()) return { workspace };
    throw failure(manifest, "WORKSPACE_LOST", "its program ended while the workspace was open");
  }

  await begin(from);
  return {
    act: async (call) => conversation.ask("act", { ...here(), call }),
    async verify(call, parsed) {
      assert(call !== null || "failureMode" in parsed, "an answer with an action is verified by its call");
      const missing = call === null && "failureMode" in parsed ? parsed : null;
      return verdictOf(await conversation.ask("verify", { ...here(), call, missing }), manifest);
    },
    checkpoint: async () => (await conversation.ask("checkpoint", here())).name,
    async restore(checkpoint) {
      if (isLost()) await begin(checkpoint);
      else await conversation.ask("restore", { ...here(), checkpoint });
    },
    ...(optional.includes("health") && {
      health: async () => (await conversation.ask("health", here())).complaint,
    }),
    ...(optional.includes("enter") && { enter: async () => (await conversation.ask("enter", here())).folder }),
    ...(optional.includes("settle") && { settle: async () => void (await conversation.ask("settle", here())) }),
    async close() {
      if (!isLost()) await conversation.ask("close", here());
    },
  };
}

/** Throws: a Failure `BAD_REPLY` where the verdict contradicts itself or the manifest. */
function verdictOf({ value, verifier, ...reply }: Result<"verify">, manifest: SkillManifest): Verdict {
  const { passed, failureMode } = reply;
  const isNamed = failureMode !== null && manifest.failureModes.includes(failureMode);
  if (passed ? failureMode !== null : !isNamed) {
    const expected = passed ? "none where it passed" : `one of ${manifest.failureModes.join(", ")}`;
    throw failure(manifest, "BAD_REPLY", `its verdict's failureMode is ${failureMode}, expected ${expected}`);
  }
  return {
    ...reply,
    value: value ?? (passed ? 1 : 0),
    verifier: verifier ?? { id: manifest.id, version: manifest.version },
  };
}

function failure({ id }: SkillManifest, code: string, reason: string): Failure {
  return new Failure({ boundary: "workspace", code, message: `The skill ${id}: ${reason}` });
}
