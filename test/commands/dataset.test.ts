import { expect, it } from "vitest";
import command, { rebuildDataset } from "../../src/commands/dataset.ts";
import { sayRevoked, TIP, withChain } from "../registry/setting.ts";

it("counts as revoked what is, and what only a revoked verifier judged", () =>
  withChain(async ({ home, clock, datasetHash }) => {
    sayRevoked(home, "tip", TIP);
    sayRevoked(home, "verifier", "other@1");
    const made = await rebuildDataset({ dataset: datasetHash }, { home, clock });
    expect(made.refusals.map(({ reason }) => reason)).toEqual(expect.arrayContaining(["revoked", "revoked-verdict"]));
    expect(command.print?.(made, { explain: false } as never)).toContain("left out as revoked: 2 of 6 examples");
  }));
