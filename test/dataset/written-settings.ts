/** The settings of a dataset as its manifest has them: the defaults, but for what a test names. */
import type { z } from "zod";
import { datasetManifestSchema, type ExportSettings } from "../../src/records/dataset-manifest.ts";

const { settings } = datasetManifestSchema.shape;

export function writtenSettings(named: z.input<typeof settings>): ExportSettings {
  return settings.parse(named);
}
