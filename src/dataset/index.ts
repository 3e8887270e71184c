/** Datasets: from a selection to a frozen folder of rows, tokens, manifest and card. */
export { checkOut, copyTrainRows } from "./out-file.ts";
export { type DatasetOptions, type DatasetOrigin, loadFormat, previewDataset, writeDataset } from "./write.ts";
