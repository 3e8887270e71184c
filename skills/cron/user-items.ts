/**
 * Items from the user's own JSONL: `{id, family, words, reference}` a line. Every reference is tried out when it is read,
 * and two families that share a schedule are refused: what is learned in one would be tested in the other.
 */
import { z } from "zod";
import { itemId } from "../../src/records/ids.ts";
import type { Draft } from "../../src/skills/contract.ts";
import { badItemLine, type ItemLine, readItemLines } from "../../src/skills/item-lines.ts";
import { everFires, scheduleKey } from "./calendar.ts";
import { readSchedule, type Schedule } from "./fields.ts";
import { manifest } from "./manifest.ts";

const lineSchema = z.strictObject({
  id: z.string().min(1),
  family: z.string().min(1),
  words: z.string().min(1),
  reference: z.string().min(1),
});

type UserLine = z.infer<typeof lineSchema>;

/**
 * Reads a user's items.
 * Throws: `NO_ITEMS_FILE`, `BAD_ITEM_LINE` with the line's number and the field.
 */
export async function userItems(file: string): Promise<Draft[]> {
  const owners = new Map<string, ItemLine<UserLine>>();
  const lines = await readItemLines(file, lineSchema);
  return lines.map((line) => {
    const { id, family, words } = line.value;
    const schedule = scheduleOf(line);
    const key = scheduleKey(schedule.fields);
    const owner = owners.get(key) ?? line;
    if (owner.value.family !== family) {
      throw badItemLine(line.place, {
        field: "family",
        expected: `"${owner.value.family}", as in line ${owner.place.line}, whose reference fires at the same times`,
        got: `"${family}"`,
      });
    }
    owners.set(key, owner);
    const detail = { words, reference: schedule.text };
    return { item: itemId(manifest.id, id), family, kind: null, task: words, detail };
  });
}

function scheduleOf({ value, place }: ItemLine<UserLine>): Schedule {
  const schedule = readSchedule(value.reference);
  const got = "reason" in schedule ? schedule.reason : everFires(schedule.fields) ? null : "it never fires";
  if ("fields" in schedule && got === null) return schedule;
  throw badItemLine(place, { field: "reference", expected: "five cron fields that fire", got: got ?? "" });
}
