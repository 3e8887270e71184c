/** Datasets: from a selection to a frozen folder of rows, tokens, manifest and card. */
export { formatFor, loadFormat, loadFormats } from "./formats.ts";
export { checkOut, copyTrainRows } from "./out-file.ts";
export { renderedRows } from "./rendered-rows.ts";
export { type DatasetOptions, type DatasetOrigin, previewDataset, writeDataset } from "./write.ts";
