/**
 * `tracemill history`: every promotion and rollback, in order.
 */
import { z } from "zod";
import { shortHash } from "../foundation/hashing.ts";
import { textTable } from "../foundation/text-table.ts";
import { type PlaceEvent, placeName, placeOf, readPlaceEvents } from "../registry/index.ts";
import { defineCommand } from "./command.ts";

export default defineCommand<{ place?: string | undefined }, PlaceEvent[]>({
  summary: "Show every promotion and rollback.",
  details: "Example: tracemill history sql",
  positional: ["place"],
  input: z.object({ place: z.string().optional().describe("only this skill, or SKILL/ROLE (default: all)") }),
  run: ({ place }, { home }) => readPlaceEvents(home, place === undefined ? undefined : placeOf(place)),
  print(events, { place }) {
    if (events.length === 0) return `Nothing was promoted${place === undefined ? "" : ` for ${place}`} yet.`;
    return textTable(
      ["at", "place", "what", "adapter", "why"],
      events.map((event) => [event.at, placeName(event.data), ...told(event)]),
    );
  },
});

function told({ type, data }: PlaceEvent): [string, string, string] {
  if (type === "rolled_back") {
    const back = data.to === null ? "the base" : shortHash(data.to);
    return [`rolled back to ${back}`, shortHash(data.from), data.reason ?? "-"];
  }
  const { comparisonHash, override, adapterHash } = data;
  const why = comparisonHash === null ? `override: ${override}` : `comparison ${shortHash(comparisonHash)}`;
  return ["promoted", shortHash(adapterHash), why];
}
