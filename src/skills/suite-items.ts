/**
 * Checks of the contract that need no workspace: manifest, items, splits, prompts, answers.
 */
import { type Item, itemSchema, SPLITS } from "../records/item.ts";
import { type Message, messageSchema } from "../records/message.ts";
import { demand, isSame, SEED, type SuiteCheck, type Trial, withSplit } from "./trial.ts";

const PROMPTS = 20;

export const ITEM_CHECKS: readonly SuiteCheck[] = [
  {
    title: "is called what its folder is called, and lists each failure mode once",
    async run({ id, skill: { manifest } }) {
      demand(manifest.id === id, `its manifest calls it ${manifest.id}`);
      const { failureModes, deferrableFailureModes = [] } = manifest;
      demand(failureModes.length > 0, "its manifest lists no failure modes");
      demand(new Set(failureModes).size === failureModes.length, `failureModes: ${failureModes.join(", ")}`);
      const stranger = deferrableFailureModes.find((mode) => !failureModes.includes(mode));
      demand(stranger === undefined, `deferrableFailureModes names ${stranger}, which failureModes does not`);
      return null;
    },
  },
  {
    title: "gives items that fit the record, under ids that begin with its name and occur once",
    async run(trial) {
      const items = await trial.items();
      demand(items.length > 0, "it gives no items");
      const seen = new Set<string>();
      for (const item of items) {
        const issue = itemSchema.safeParse(item).error?.issues[0];
        demand(issue === undefined, `${item.item}: ${issue?.path.join(".")}: ${issue?.message}`);
        demand(item.item.startsWith(`${trial.id}:`), `the id ${item.item} does not begin with ${trial.id}:`);
        demand(!seen.has(item.item), `the id ${item.item} occurs twice`);
        seen.add(item.item);
      }
      return null;
    },
  },
  {
    title: "gives the same items for the same seed",
    async run(trial) {
      const again = (await trial.skill.items({ seed: SEED })).map((draft) => withSplit(trial.skill, draft));
      const items = await trial.items();
      const place = items.findIndex((item, i) => !isSame(item, again[i]));
      demand(place === -1, `item ${place + 1} of ${items.length} differs: ${items[place]?.item}`);
      demand(again.length === items.length, `${items.length} items, and then ${again.length}`);
      return null;
    },
  },
  { title: "keeps every family in its split whatever the seed, and has families in each", run: checkSplits },
  {
    title: "renders prompts that end with a user's message",
    async run({ skill, items }) {
      for (const item of (await items()).slice(0, PROMPTS)) checkMessages(item, skill.prompt(item), "user");
      return null;
    },
  },
];

async function checkSplits({ skill, items }: Trial): ReturnType<SuiteCheck["run"]> {
  const familiesOf = (some: readonly Item[]) => new Set(some.map(({ family }) => family));
  const all = await items();
  const families = familiesOf(all);
  const others = familiesOf((await skill.items({ seed: SEED + 1 })).map((draft) => withSplit(skill, draft)));
  const moved = [...families, ...others].filter((family) => !families.has(family) || !others.has(family));
  demand(moved.length === 0, `with another seed other families: ${moved.join(", ")}`);
  const counts = SPLITS.map((split) => ({ split, count: familiesOf(all.filter((item) => item.split === split)).size }));
  const empty = counts.filter(({ count }) => count === 0).map(({ split }) => split);
  const text = counts.map(({ split, count }) => `${count} ${split}`).join(", ");
  if (empty.length === 0) return { kind: "note", text: `families: ${text}` };
  return {
    kind: "warning",
    text: `no family lies in ${empty.join(" and ")} (families: ${text}): another salt, or more families`,
  };
}

/** Throws where the messages do not fit the record, or do not end as they must. */
export function checkMessages(item: Item, messages: readonly Message[], lastRole: Message["role"]): void {
  for (const message of messages) {
    const issue = messageSchema.safeParse(message).error?.issues[0];
    demand(issue === undefined, `${item.item}: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  const last = messages.at(-1);
  demand(last?.role === lastRole, `${item.item}: the last message is of the role ${last?.role ?? "none"}`);
  demand(last?.content, `${item.item}: the last message is empty`);
}
