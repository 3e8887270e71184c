/**
 * Domains that nobody wrote down one by one: a place and a sort of record give a name, and the name draws the columns. So there
 * are hundreds of families; each seed has a few of its own, all of the test split, on which no other seed's comparison was made.
 * They are plainer than those written by hand: their words fit together less well, while the kinds of question are the same.
 */
import { random } from "../../src/foundation/random.ts";
import { splitOf } from "../../src/skills/splits.ts";
import { type Domain, date, number, quantity, type TextColumn, text } from "./domain.ts";
import { manifest } from "./manifest.ts";

/** As many as are written by hand for the test split. */
const PER_SEED = 13;
const LABELS = 16;

const PLACES =
  "harbor museum railway garden theater airport bakery clinic farm gallery hotel library observatory orchard quarry stadium studio temple vineyard workshop zoo canal castle island".split(
    " ",
  );
const RECORDS: readonly (readonly [string, string])[] =
  "permit ticket contract parcel repair lesson tour survey claim rental inspection booking license delivery shift grant sample auction meeting exhibit lease award invoice complaint"
    .split(" ")
    .map((one) => [one, one.endsWith("y") ? `${one.slice(0, -1)}ies` : `${one}s`]);

const STARTS = "Bel Cor Dan El Far Gor Hal Il Jor Kel Lum Mar Nor Or Pel Quin Ros Sel Tor Ul Vel Wes Yar Zan".split(
  " ",
);
const ENDS = "va dor mir ta lin ney sca rion by mont wick ria den tal fax mora".split(" ");

const NAMES = [
  ["title", "title", "titles"],
  ["code_name", "code name", "code names"],
  ["file_name", "file name", "file names"],
  ["subject", "subject", "subjects"],
] as const;

const CATEGORIES: readonly TextColumn[] = [
  text("status", "status", "statuses", "open, closed, pending, canceled"),
  text("district", "district", "districts", "North, South, East, West, Center"),
  text("priority", "priority", "priorities", "low, medium, high, urgent"),
  text("language", "language", "languages", "English, French, Polish, Greek"),
  text("channel", "channel", "channels", "phone, letter, counter, website"),
  text("season", "season", "seasons", "spring, summer, autumn, winter"),
  text("material", "material", "materials", "oak, steel, glass, brick, linen"),
  text("color", "color", "colors", "red, green, blue, white, black"),
  text("payment", "payment method", "payment methods", "cash, card, transfer, voucher"),
  text("audience", "audience", "audiences", "children, adults, seniors, schools"),
  text("shape", "shape", "shapes", "round, square, oval, flat"),
  text("team", "team", "teams", "Alpha, Bravo, Delta, Echo"),
  text("risk", "risk level", "risk levels", "none, minor, major, severe"),
  text("format", "format", "formats", "paper, digital, audio, film"),
  text("weather", "weather", "weathers", "sunny, cloudy, rainy, foggy"),
  text("size_class", "size class", "size classes", "small, middle, large, giant"),
];

const TOTALS = [
  quantity("fee", "fee", [5, 400, 0.5]),
  quantity("pages", "number of pages", [1, 90]),
  quantity("visitors", "number of visitors", [3, 800]),
  quantity("minutes", "number of minutes", [5, 480]),
  quantity("boxes", "number of boxes", [1, 60]),
  quantity("refund", "refund", [1, 95, 0.5]),
  quantity("workers", "number of workers", [1, 35]),
  quantity("liters", "number of liters", [2, 900]),
];

const LEVELS = [
  number("score", "score", [1, 100]),
  number("floor", "floor", [1, 30]),
  number("temperature", "temperature", [4, 38]),
  number("age_limit", "age limit", [3, 21]),
  number("width", "width", [10, 220]),
  number("discount_rate", "discount rate", [1, 60]),
  number("noise_level", "noise level", [20, 110]),
  number("distance", "distance", [1, 140, 0.5]),
];

const DATES = [
  date("received_on", "date of receipt", 2014, 2024),
  date("started_on", "start date", 2010, 2023),
  date("signed_on", "signing date", 2012, 2024),
  date("due_on", "due date", 2016, 2025),
  date("checked_on", "checking date", 2015, 2024),
];

const OPTIONALS = [
  text("note", "note", "notes", "late, fragile, renewed, doubled"),
  text("sponsor", "sponsor", "sponsors", "Brightwater, Oakline, Tessera"),
  text("witness", "witness", "witnesses", "Ada Finch, Leo Marsh, Nina Holt"),
  text("locker", "locker", "lockers", "L1, L2, L3, L4"),
];

const PARENTS = [
  ["offices", "office", "office_id", text("room", "room type", "room types", "hall, booth, attic")],
  ["agencies", "agency", "agency_id", text("branch", "branch", "branches", "public, private, mixed")],
  ["partners", "partner", "partner_id", text("tier", "tier", "tiers", "gold, silver, bronze")],
  ["patrons", "patron", "patron_id", text("origin", "origin", "origins", "local, national, foreign")],
] as const;

/** Returns the domains that are this seed's own; after some sixteen seeds in a row they come again, under the same names. */
export function freshDomains(seed: number): Domain[] {
  const names = PLACES.flatMap((place) => RECORDS.map((record) => ({ place, record, id: `${place}-${record[0]}` })));
  const held = random("sql-fresh").shuffle(names.filter(({ id }) => splitOf(manifest, id) === "test"));
  const blocks = Math.floor(held.length / PER_SEED);
  const first = (((seed % blocks) + blocks) % blocks) * PER_SEED;
  return held.slice(first, first + PER_SEED).map(domainNamed);
}

function domainNamed({ place, record, id }: { place: string; record: readonly [string, string]; id: string }): Domain {
  const source = random("sql-fresh", id);
  const [one, many] = record;
  const made = source.sample(
    STARTS.flatMap((start) => ENDS.map((end) => `${start}${end}`)),
    LABELS + 6,
  );
  const [column, noun, plural] = source.pick(NAMES);
  const [table, parent, key, category] = source.pick(PARENTS);
  return {
    id,
    table: `${place}_${many}`,
    one: `${place} ${one}`,
    many: `${place} ${many}`,
    label: { column, noun, plural, values: made.slice(0, LABELS) },
    categories: source.sample(CATEGORIES, 2),
    measures: [source.pick(TOTALS), source.pick(LEVELS)],
    date: source.pick(DATES),
    optional: source.pick(OPTIONALS),
    parent: {
      ...{ table, one: parent, key, category },
      label: {
        column: `${parent}_name`,
        noun: `${parent} name`,
        plural: `${parent} names`,
        values: made.slice(LABELS),
      },
    },
  };
}
