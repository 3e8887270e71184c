"""Verb `base`: a GGUF of any quantisation -> the Hugging Face folder that is trained on and an f16 GGUF that is served.

Both hold the same numbers: the GGUF's weights, dequantised once and rounded to bf16 (a bf16 value from 8e-6 to 65504
is exact in f16). So a difference between trainer and server is a bug or f16 arithmetic, never the quantisation.
"""

from __future__ import annotations

import importlib.util
import time
from dataclasses import dataclass
from pathlib import Path

import gguf
import torch
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from .events import Emit
from .installing import setup_line
from .refusal import Refusal


@dataclass(frozen=True)
class Request:
    """Where the GGUF is (a path, or the Python package whose folder holds exactly one) and the folder to write."""

    out: Path
    gguf: Path | None = None
    package: str | None = None


def run(request: Request, emit: Emit) -> dict[str, object]:
    """Writes `out/hf/` and `out/model-f16.gguf`; the result names both and the source."""
    started = time.monotonic()
    source = find_gguf(request)
    emit("progress", stage="reading the tokenizer")
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    reader = gguf.GGUFReader(source)
    split_as_trained(tokenizer, reader)
    emit("progress", stage="reading the weights")
    model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.bfloat16)
    forget_quantisation(model)
    emit("progress", stage="writing the Hugging Face folder")
    folder = request.out / "hf"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    emit("progress", stage="writing the f16 GGUF")
    served = request.out / "model-f16.gguf"
    write_f16(reader, served)
    return {
        "hf": str(folder),
        "gguf": str(served),
        "source": str(source),
        "architecture": model.config.model_type,
        "durationMs": round((time.monotonic() - started) * 1000),
    }


def find_gguf(request: Request) -> Path:
    """Returns the path of the GGUF that is asked for.

    Raises: `Refusal` BAD_REQUEST (neither or both sources), NO_PACKAGE, NO_GGUF (no such file, or not a GGUF).
    """
    if (request.gguf is None) == (request.package is None):
        raise Refusal("BAD_REQUEST", "A base has one source.", expected='either "gguf" or "package"')
    if request.gguf is not None:
        path = request.gguf.resolve()
    else:
        spec = importlib.util.find_spec(str(request.package))
        if spec is None or not spec.submodule_search_locations:
            raise Refusal(
                "NO_PACKAGE",
                f'The Python package "{request.package}" is not installed.',
                fix=setup_line("requirements-base.txt", "--no-deps"),
            )
        folder = Path(spec.submodule_search_locations[0])
        found = sorted(folder.glob("*.gguf"))
        if len(found) != 1:
            raise Refusal("NO_GGUF", "The package does not hold exactly one GGUF.", got=str(found), where=str(folder))
        path = found[0]
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise Refusal("NO_GGUF", "The GGUF cannot be read.", got=str(error), where=str(path)) from error
    if magic != b"GGUF":
        raise Refusal("NO_GGUF", "The file is not a GGUF.", expected='magic "GGUF"', got=repr(magic), where=str(path))
    return path


def forget_quantisation(model: PreTrainedModel) -> None:
    """Takes off the marks of a model loaded from GGUF, whose weights are plain by now: `save_pretrained` refuses them."""
    for mark in ("is_quantized", "hf_quantizer", "quantization_method"):
        if hasattr(model, mark):
            delattr(model, mark)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config


def split_as_trained(tokenizer: PreTrainedTokenizerFast, reader: gguf.GGUFReader) -> None:
    """Restores the split before the merges that transformers forgets for SmolLM: there each digit stands alone.

    Without it two blanks before a digit get other ids than the model was trained on and than llama.cpp gives.
    """
    field = reader.fields.get("tokenizer.ggml.pre")
    if field is not None and field.contents() == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = digits_apart()


def digits_apart() -> pre_tokenizers.PreTokenizer:
    """SmolLM's split: single digits, then GPT-2's byte-level words (llama.cpp: pre-tokenizer `smollm`)."""
    return pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )


def write_f16(reader: gguf.GGUFReader, target: Path) -> None:
    """Copies a GGUF with its weights dequantised: matrices as f16 by way of bf16, vectors (norms) as they are in f32."""
    writer = gguf.GGUFWriter(target, arch=str(reader.fields["general.architecture"].contents()))
    copy_metadata(reader, writer)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    for tensor in reader.tensors:
        values = torch.from_numpy(gguf.dequantize(tensor.data, tensor.tensor_type).copy())
        if values.ndim > 1:
            values = values.to(torch.bfloat16).to(torch.float16)
        writer.add_tensor(tensor.name, values.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def copy_metadata(reader: gguf.GGUFReader, writer: gguf.GGUFWriter) -> None:
    """Copies every key but those that describe the file itself: its header, its architecture and its quantisation."""
    own = {"general.architecture", "general.file_type", "general.quantization_version"}
    for key, field in reader.fields.items():
        if key in own or key.startswith("GGUF."):
            continue
        kind = field.types[0]
        member = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(key, field.contents(), kind, sub_type=member)
