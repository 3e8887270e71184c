/**
 * The course of a training as an SVG picture: loss a step and loss on the validation rows. A pure function of the curve, so
 * the same training gives the same bytes. Colours follow the reader's light or dark scheme.
 */
import type { CurvePoint } from "../records/adapter-manifest.ts";

const WIDTH = 720;
const HEIGHT = 360;
const MARGIN = { left: 56, right: 16, top: 28, bottom: 40 };
const INNER = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
const TICKS = 5;
const STYLE = `
  svg { background: #fff; font: 12px system-ui, sans-serif; }
  text { fill: #444; } .axis { stroke: #999; } .grid { stroke: #e4e4e4; }
  .train { stroke: #3b6fb5; fill: none; stroke-width: 1.5; }
  .validation { stroke: #c2571a; fill: none; stroke-width: 2; } .dot { fill: #c2571a; }
  .train-text { fill: #3b6fb5; } .validation-text { fill: #c2571a; }
  @media (prefers-color-scheme: dark) {
    svg { background: #1b1b1b; } text { fill: #bbb; } .axis { stroke: #777; } .grid { stroke: #333; }
    .train { stroke: #7fb0f0; } .train-text { fill: #7fb0f0; }
    .validation { stroke: #f0955c; } .dot, .validation-text { fill: #f0955c; }
  }`;

/** Draws a curve whose losses count `lossUnit`; one without a loss gives empty axes. */
export function curvePicture(curve: readonly CurvePoint[], lossUnit: string): string {
  const train = pointsOf(curve, ({ loss }) => loss);
  const validation = pointsOf(curve, ({ validationLoss }) => validationLoss);
  const all = [...train, ...validation];
  const lastStep = Math.max(1, ...curve.map(({ step }) => step));
  const step = niceStep(Math.max(0.1, ...all.map(({ loss }) => loss)) / TICKS);
  const most = step * Math.ceil(Math.max(step, ...all.map(({ loss }) => loss)) / step);
  const x = (at: number) => MARGIN.left + (at / lastStep) * INNER.width;
  const y = (loss: number) => MARGIN.top + (1 - loss / most) * INNER.height;
  const path = (points: readonly Point[]) =>
    points.map((point) => `${round(x(point.step))},${round(y(point.loss))}`).join(" ");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="loss by step">`,
    `<style>${STYLE}</style>`,
    ...lossTicks(most, step).map(({ loss, text }) => horizontal(y(loss), text)),
    ...stepTicks(lastStep).map(
      (at) => `<text x="${round(x(at))}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${at}</text>`,
    ),
    `<line class="axis" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(0)}" y2="${y(0)}"/>`,
    `<text x="${WIDTH / 2}" y="${HEIGHT - 6}" text-anchor="middle">step</text>`,
    `<text x="${MARGIN.left}" y="16"><tspan>loss (${lossUnit}): </tspan><tspan class="train-text">training rows</tspan>` +
      `${validation.length > 0 ? '<tspan>, </tspan><tspan class="validation-text">validation rows</tspan>' : ""}</text>`,
    `<polyline class="train" points="${path(train)}"/>`,
    `<polyline class="validation" points="${path(validation)}"/>`,
    ...validation.map(
      (point) => `<circle class="dot" cx="${round(x(point.step))}" cy="${round(y(point.loss))}" r="3"/>`,
    ),
    "</svg>",
    "",
  ].join("\n");
}

interface Point {
  step: number;
  loss: number;
}

function pointsOf(curve: readonly CurvePoint[], lossOf: (point: CurvePoint) => number | null): Point[] {
  return curve.flatMap((point) => {
    const loss = lossOf(point);
    return loss === null ? [] : [{ step: point.step, loss }];
  });
}

function horizontal(y: number, text: string): string {
  const line = `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${round(y)}" y2="${round(y)}"/>`;
  return `${line}<text x="${MARGIN.left - 8}" y="${round(y + 4)}" text-anchor="end">${text}</text>`;
}

/** A step of 1, 2 or 5 times a power of ten, at least as large. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10);
}

function lossTicks(most: number, step: number): { loss: number; text: string }[] {
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  return Array.from({ length: Math.round(most / step) + 1 }, (_, i) => ({
    loss: i * step,
    text: (i * step).toFixed(digits),
  }));
}

function stepTicks(lastStep: number): number[] {
  const step = Math.max(1, niceStep(lastStep / TICKS));
  return Array.from({ length: Math.floor(lastStep / step) + 1 }, (_, i) => i * step);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
