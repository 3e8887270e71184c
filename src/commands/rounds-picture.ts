/**
 * Rounds as an SVG picture: first-try success of each round's candidate and of what answered before, with their intervals, above
 * the tokens that an attempt took, the candidate's with the interval of their ratio. A pure function of the rounds. Colours follow the reader's light or dark scheme.
 */
import type { Interval } from "../records/interval.ts";

interface Figure {
  rate: number;
  interval: Interval;
  tokens: number | null;
  /** Null where there is none: of what answered before, whose tokens the candidate's are held against. */
  tokensInterval: Interval | null;
}

export interface RoundPoint {
  round: number;
  before: Figure | null;
  candidate: Figure | null;
}

const WIDTH = 720;
const LEFT = 56;
const RIGHT = 16;
const RATES = { top: 36, height: 220 };
const TOKENS = { top: 320, height: 110 };
const HEIGHT = TOKENS.top + TOKENS.height + 44;
/** Beside each other, so that the intervals do not cover one another. */
const OFFSET = { before: -7, candidate: 7 };
const STYLE = `
  svg { background: #fff; font: 12px system-ui, sans-serif; }
  text { fill: #444; } .grid { stroke: #e4e4e4; } .axis { stroke: #999; }
  .before { stroke: #777; fill: #777; } .candidate { stroke: #3b6fb5; fill: #3b6fb5; } polyline { fill: none !important; }
  text.before, text.candidate { stroke: none; }
  @media (prefers-color-scheme: dark) {
    svg { background: #1b1b1b; } text { fill: #bbb; } .grid { stroke: #333; } .axis { stroke: #777; }
    .before { stroke: #aaa; fill: #aaa; } .candidate { stroke: #7fb0f0; fill: #7fb0f0; }
  }`;

/** Draws the rounds in their order; empty axes where there are none. */
export function roundsPicture(rounds: readonly RoundPoint[]): string {
  const x = (index: number) => LEFT + ((index + 0.5) / Math.max(1, rounds.length)) * (WIDTH - LEFT - RIGHT);
  const mostTokens = Math.max(
    1,
    ...rounds.flatMap(({ before, candidate }) =>
      [before, candidate].flatMap((figure) => [figure?.tokens ?? 0, figure?.tokensInterval?.high ?? 0]),
    ),
  );
  const rateAt = (rate: number) => RATES.top + (1 - rate) * RATES.height;
  const tokensAt = (tokens: number) => TOKENS.top + (1 - tokens / mostTokens) * TOKENS.height;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="success by round">`,
    `<style>${STYLE}</style>`,
    `<text x="${LEFT}" y="18">first-try success: <tspan class="before">what answered before</tspan>, <tspan class="candidate">candidate</tspan></text>`,
    ...[0, 0.25, 0.5, 0.75, 1].map((rate) => grid(rateAt(rate), `${Math.round(100 * rate)} %`)),
    ...(["before", "candidate"] as const).flatMap((arm) => rateMarks(rounds, arm, { x, y: rateAt })),
    `<text x="${LEFT}" y="${TOKENS.top - 12}">completion tokens an attempt, with the interval of the ratio to before</text>`,
    ...[0, mostTokens].map((tokens) => grid(tokensAt(tokens), `${Math.round(tokens)}`)),
    ...(["before", "candidate"] as const).flatMap((arm) => tokenMarks(rounds, arm, { x, y: tokensAt })),
    ...rounds.map(({ round }, i) => `<text x="${at(x(i))}" y="${HEIGHT - 22}" text-anchor="middle">${round}</text>`),
    `<text x="${WIDTH / 2}" y="${HEIGHT - 6}" text-anchor="middle">round</text>`,
    "</svg>",
    "",
  ].join("\n");
}

interface Axes {
  x(index: number): number;
  y(value: number): number;
}

type ArmOfRound = "before" | "candidate";

function rateMarks(rounds: readonly RoundPoint[], arm: ArmOfRound, { x, y }: Axes): string[] {
  return rounds.flatMap((round, i) => {
    const figure = round[arm];
    if (figure === null) return [];
    const cx = at(x(i) + OFFSET[arm]);
    const { low, high } = figure.interval;
    return [bar(arm, cx, { y, low, high }), `<circle class="${arm}" cx="${cx}" cy="${at(y(figure.rate))}" r="4"/>`];
  });
}

function bar(arm: ArmOfRound, cx: number, { y, low, high }: Pick<Axes, "y"> & Interval): string {
  return `<line class="${arm}" x1="${cx}" x2="${cx}" y1="${at(y(low))}" y2="${at(y(high))}"/>`;
}

function tokenMarks(rounds: readonly RoundPoint[], arm: ArmOfRound, { x, y }: Axes): string[] {
  const marks = rounds.flatMap((round, i) => {
    const { tokens = null, tokensInterval = null } = round[arm] ?? {};
    return tokens === null ? [] : [{ cx: at(x(i) + OFFSET[arm]), cy: at(y(tokens)), tokensInterval }];
  });
  return [
    `<polyline class="${arm}" points="${marks.map(({ cx, cy }) => `${cx},${cy}`).join(" ")}"/>`,
    ...marks.flatMap(({ cx, cy, tokensInterval }) => [
      ...(tokensInterval === null ? [] : [bar(arm, cx, { y, ...tokensInterval })]),
      `<circle class="${arm}" cx="${cx}" cy="${cy}" r="3"/>`,
    ]),
  ];
}

function grid(y: number, text: string): string {
  const line = `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y)}" y2="${at(y)}"/>`;
  return `${line}<text x="${LEFT - 8}" y="${at(y + 4)}" text-anchor="end">${text}</text>`;
}

function at(value: number): number {
  return Math.round(value * 100) / 100;
}
