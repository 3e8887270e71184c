/** The picture of a curve says what its losses count: that of a preference method is no loss of a token. */
import { expect, it } from "vitest";
import { curvePointSchema } from "../../src/records/adapter-manifest.ts";
import { curvePicture } from "../../src/train/curve-picture.ts";
import { methodNamed } from "../../src/train/methods.ts";

const CURVE = curvePointSchema.array().parse([
  { step: 1, epoch: 0.5, loss: 0.69, validationLoss: null, learningRate: 1e-5 },
  { step: 2, epoch: 1, loss: 0.6, validationLoss: 0.61, learningRate: 1e-5 },
]);

it.each([
  ["sft", "nats a token"],
  ["dpo", "nats a pair"],
  ["kto", "no unit"],
])("the losses of %s are drawn as %s", async (method, unit) => {
  const { lossUnit } = await methodNamed(method);
  const picture = curvePicture(CURVE, lossUnit);
  expect(picture).toContain(`<tspan>loss (${unit}): </tspan>`);
  expect(picture.match(/<circle/g)).toHaveLength(1);
});

it("the same curve gives the same bytes, and one without a loss empty axes", () => {
  expect(curvePicture(CURVE, "nats a token")).toBe(curvePicture(CURVE, "nats a token"));
  expect(curvePicture([], "nats a token")).toContain('<polyline class="train" points=""/>');
});
