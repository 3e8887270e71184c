/**
 * `croissant.json`: the dataset described to programs, with the hashes of what it was made from. It holds no date of its
 * own, so that the same dataset has the same description: the newest run's day stands for it.
 * Source: MLCommons Croissant 1.1 (2026-01-29); W3C PROV-O for what rows were derived from.
 */
import { counted } from "../foundation/counted.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { PARTS, type Part } from "../records/selection.ts";
import { croissantType } from "./columns.ts";
import type { DatasetFormat } from "./format.ts";

export interface CroissantFacts {
  manifest: DatasetManifest;
  format: DatasetFormat;
  licence: string | null;
}

/** Croissant's own context, whole, as its readers compare it; and PROV-O. */
const CROISSANT_TERMS = [
  ...["arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject"],
  ...["fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5"],
  ...["parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate"],
  ...["separator", "source", "subField", "transform"],
];
const CONTEXT = {
  "@language": "en",
  "@vocab": "https://schema.org/",
  cr: "http://mlcommons.org/croissant/",
  dct: "http://purl.org/dc/terms/",
  prov: "http://www.w3.org/ns/prov#",
  rai: "http://mlcommons.org/croissant/RAI/",
  sc: "https://schema.org/",
  conformsTo: "dct:conformsTo",
  ...Object.fromEntries(CROISSANT_TERMS.map((term) => [term, `cr:${term}`])),
  data: { "@id": "cr:data", "@type": "@json" },
  dataType: { "@id": "cr:dataType", "@type": "@vocab" },
  examples: { "@id": "cr:examples", "@type": "@json" },
};
const ENCODINGS: Record<string, string> = {
  jsonl: "application/jsonlines",
  parquet: "application/x-parquet",
  json: "application/json",
  yaml: "application/yaml",
};

/** Describes a dataset. The same manifest gives the same description. */
export function croissantDescription({ manifest, format, licence }: CroissantFacts): Record<string, unknown> {
  const { datasetHash, skills, role, counts, inputs, tier, codeVersion } = manifest;
  const day = inputs.runs
    .map(({ run }) => run.slice(0, 8))
    .sort()
    .at(-1);
  const parts = PARTS.filter((part) => (part === "train" ? counts.trainRows : counts.validationRows) > 0);
  return {
    "@context": CONTEXT,
    "@type": "sc:Dataset",
    conformsTo: "http://mlcommons.org/croissant/1.1",
    name: `tracemill-${skills.join("-")}-${role}`.replaceAll(/[^\w-]+/g, "-"),
    description: `${tier}: ${counts.trainRows} training and ${counted(counts.validationRows, "validation row")} of the role ${role} from verified agent runs of ${skills.join(", ")}.`,
    license: licence ?? "unknown",
    url: `urn:sha256:${datasetHash}`,
    version: `1.0.0+${datasetHash.slice(0, 12)}`,
    creator: { "@type": "sc:Organization", name: `tracemill ${codeVersion}` },
    ...(day !== undefined && { datePublished: `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6, 8)}` }),
    isLiveDataset: false,
    "prov:wasDerivedFrom": [
      ...inputs.runs.map(({ run, head }) => ({ "@id": `urn:tracemill:run:${run}`, "sc:identifier": head })),
      { "@id": "urn:tracemill:ledger", "sc:identifier": inputs.ledgerHead },
      ...(inputs.comparisons ?? []).map((hash) => ({
        "@id": `urn:tracemill:comparison:${hash}`,
        "sc:identifier": hash,
      })),
    ],
    distribution: manifest.files.map(({ path, hash }) => ({
      "@type": "cr:FileObject",
      "@id": path,
      name: path,
      contentUrl: path,
      encodingFormat: ENCODINGS[path.slice(path.lastIndexOf(".") + 1)] ?? "text/plain",
      sha256: hash,
    })),
    recordSet: parts.map((part) => recordSet(part, format)),
  };
}

function recordSet(part: Part, { extension, columns }: DatasetFormat): Record<string, unknown> {
  return {
    "@type": "cr:RecordSet",
    "@id": part,
    name: part,
    field: columns.map(({ name, type }) => {
      const { dataType, isList } = croissantType(type);
      return {
        "@type": "cr:Field",
        "@id": `${part}/${name}`,
        name,
        dataType,
        ...(isList && { isArray: true, arrayShape: "-1" }),
        source: { fileObject: { "@id": `${part}.${extension}` }, extract: { column: name } },
      };
    }),
  };
}
