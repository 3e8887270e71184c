"""Verb `gguf`: a llama in a Hugging Face folder -> the f16 GGUF that the embedded server loads.

Weights pass one at a time, so memory holds the largest of them and not the model. The tokens are written for the sake
of the file's other readers: the server gets and gives ids, and never splits text by this file.
Source: llama.cpp `convert_hf_to_gguf.py` (`LlamaModel`); deviates: one architecture, and what would be written wrongly
is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from safetensors import safe_open
from transformers import AutoTokenizer, LlamaConfig, PreTrainedTokenizerFast
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from .base import digits_apart
from .events import Emit
from .llama_cpp import Layout, layout_of
from .refusal import Refusal
from .request import read_json

STORED = ("F32", "F16", "BF16")
"""How safetensors may store weights that are plain numbers."""
SCALED_ROPES = ("linear", "llama3")
"""Kinds of rotary embedding that llama.cpp reproduces by one factor a frequency."""
FIX = "convert it by llama.cpp's convert_hf_to_gguf.py, then: tracemill base add NAME --hf DIR --gguf FILE"


@dataclass(frozen=True)
class Request:
    """The Hugging Face folder, which is only read, and the GGUF to write."""

    hf: Path
    out: Path


@dataclass(frozen=True)
class Weight:
    """One weight: where it lies, its name there and in the GGUF, and its shape."""

    file: Path
    name: str
    target: str
    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Matrices are f16, vectors (norms, biases) f32."""
        return np.dtype(np.float16 if len(self.shape) > 1 else np.float32)


def run(request: Request, emit: Emit) -> dict[str, object]:
    """Writes the GGUF; what cannot be written is refused before the first byte."""
    write_gguf(request.hf, request.out, emit)
    return {"gguf": str(request.out)}


def write_gguf(folder: Path, target: Path, emit: Emit) -> None:
    """Writes a llama and its tokenizer for llama.cpp.

    Raises: `Refusal` UNSUPPORTED_ARCHITECTURE, UNSUPPORTED_WEIGHTS, UNSUPPORTED_TENSOR, UNSUPPORTED_TOKENIZER,
    NOT_IN_F16, MISSING_FILE, and BAD_REQUEST where the folder has no readable config.json.
    """
    config = llama_config(folder)
    layout = layout_of(config)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    writer = gguf.GGUFWriter(target, arch=layout.architecture)
    write_shape(config, layout, writer)
    write_tokenizer(tokenizer, config.vocab_size, writer, folder)
    weights = weights_of(folder, config, layout)
    factors = rope_factors(config)
    if factors is not None:
        writer.add_tensor_info("rope_freqs.weight", factors.shape, factors.dtype, factors.nbytes)
    for weight in weights:
        sizes = int(np.prod(weight.shape)) * weight.dtype.itemsize
        writer.add_tensor_info(weight.target, weight.shape, weight.dtype, sizes)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    if factors is not None:
        writer.write_tensor_data(factors)
    for done, values in enumerate(read_weights(weights, layout)):
        if done * 10 // len(weights) > (done - 1) * 10 // len(weights):
            emit("progress", stage=f"writing the f16 GGUF, {100 * done // len(weights)} %")
        writer.write_tensor_data(values)
    writer.close()


def llama_config(folder: Path) -> LlamaConfig:
    """Reads config.json. Raises: `Refusal` where llama.cpp's llama would compute something else than this model."""
    document = read_json(folder / "config.json")
    where = str(folder / "config.json")
    if document.get("model_type") != "llama":
        raise Refusal(
            "UNSUPPORTED_ARCHITECTURE",
            "A GGUF of this architecture cannot be made here.",
            expected="model_type llama",
            got=str(document.get("model_type")),
            where=where,
            fix=FIX,
        )
    if document.get("quantization_config") is not None:
        raise quantised("quantization_config", folder / "config.json")
    config = LlamaConfig.from_pretrained(folder)
    rope = config.rope_parameters["rope_type"]
    if config.hidden_act != "silu" or rope not in ("default", *SCALED_ROPES):
        raise Refusal(
            "UNSUPPORTED_ARCHITECTURE",
            "A GGUF of this kind of llama cannot be made here.",
            expected=f"hidden_act silu, rope_type default, {' or '.join(SCALED_ROPES)}",
            got=f"{config.hidden_act}, {rope}",
            where=where,
            fix=FIX,
        )
    return config


def quantised(got: str, where: Path) -> Refusal:
    """Builds the refusal of weights that are no plain numbers."""
    expected = f"weights as {', '.join(STORED)}"
    return Refusal("UNSUPPORTED_WEIGHTS", "The weights are quantised.", expected=expected, got=got, where=str(where), fix=FIX)


def write_shape(config: LlamaConfig, layout: Layout, writer: gguf.GGUFWriter) -> None:
    """Writes what llama.cpp has to know of the model besides its weights."""
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_block_count(layout.blocks)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(layout.heads)
    writer.add_head_count_kv(layout.kv_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)


def rope_factors(config: LlamaConfig) -> np.ndarray | None:
    """Returns what llama.cpp divides each rotary frequency by; None where the frequencies are the plain ones.

    Shapes: (head size / 2,), float32.
    """
    kind = config.rope_parameters["rope_type"]
    if kind == "default":
        return None
    scaled, _ = ROPE_INIT_FUNCTIONS[kind](config, torch.device("cpu"))
    steps = torch.arange(0, config.head_dim, 2, dtype=torch.float32) / config.head_dim
    plain = 1.0 / (config.rope_parameters["rope_theta"] ** steps)
    return (plain / scaled).to(torch.float32).numpy()


def weights_of(folder: Path, config: LlamaConfig, layout: Layout) -> list[Weight]:
    """Lists the weights that llama.cpp needs. Raises: `Refusal` UNSUPPORTED_WEIGHTS, UNSUPPORTED_TENSOR."""
    weights: list[Weight] = []
    for file in weight_files(folder):
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():
                # llama.cpp takes tied output weights from the embedding, and computes the frequencies itself.
                if (name == "lm_head.weight" and config.tie_word_embeddings) or name.endswith("rotary_emb.inv_freq"):
                    continue
                piece = tensors.get_slice(name)
                if piece.get_dtype() not in STORED:
                    raise quantised(f"{name} as {piece.get_dtype()}", file)
                weights.append(Weight(file, name, layout.tensor_name(name), tuple(piece.get_shape())))
    return weights


def weight_files(folder: Path) -> list[Path]:
    """Returns the safetensors of a folder: those that its index names, where it has one. Raises: `Refusal` MISSING_FILE."""
    index = folder / "model.safetensors.index.json"
    if not index.exists():
        return sorted(folder.glob("*.safetensors"))
    files = [folder / name for name in sorted(set(read_json(index)["weight_map"].values()))]
    for file in files:
        if not file.exists():
            raise Refusal("MISSING_FILE", "A file of the base is not there.", expected=f"what {index.name} names", where=str(file))
    return files


def read_weights(weights: list[Weight], layout: Layout) -> Iterator[np.ndarray]:
    """Yields the weights in llama.cpp's layout. Raises: `Refusal` NOT_IN_F16 where a value is too large for it."""
    for weight in weights:
        with safe_open(weight.file, framework="pt") as tensors:
            values = tensors.get_tensor(weight.name).to(torch.float32)
        rows = layout.permuted(weight.target, values.numpy())
        with np.errstate(over="ignore"):
            written = np.ascontiguousarray(rows, dtype=weight.dtype)
        if not np.isfinite(written).all():
            message = "A weight holds what f16 cannot hold."
            raise Refusal("NOT_IN_F16", message, got=weight.name, where=str(weight.file), fix=FIX)
        yield written


def write_tokenizer(tokenizer: PreTrainedTokenizerFast, size: int, writer: gguf.GGUFWriter, folder: Path) -> None:
    """Writes a byte-level BPE tokenizer; ids that the model has and the tokenizer has not are unused ones.

    Raises: `Refusal` UNSUPPORTED_TOKENIZER for any other kind.
    """
    document = json.loads(tokenizer.backend_tokenizer.to_str())
    ids = {index: token for token, index in tokenizer.get_vocab().items()}
    kind = document["model"]["type"]
    is_byte_level = kind == "BPE" and "ByteLevel" in json.dumps(document["decoder"])
    if not is_byte_level or max(ids) >= size:
        raise Refusal(
            "UNSUPPORTED_TOKENIZER",
            "A GGUF with this tokenizer cannot be made here.",
            expected=f"a byte-level BPE with at most {size} tokens",
            got=f"{'byte-level ' if is_byte_level else ''}{kind} with ids up to {max(ids)}",
            where=str(folder / "tokenizer.json"),
            fix=FIX,
        )
    added = {token["id"]: token["special"] for token in document["added_tokens"]}
    types = {True: gguf.TokenType.CONTROL, False: gguf.TokenType.USER_DEFINED, None: gguf.TokenType.NORMAL}
    writer.add_tokenizer_model("gpt2")
    # llama.cpp has a name for each known way to split text before the merges; any but this one is left unnamed.
    is_smollm = document["pre_tokenizer"] == json.loads(digits_apart().__getstate__())
    writer.add_tokenizer_pre("smollm" if is_smollm else "default")
    writer.add_token_list([ids.get(index, f"[PAD{index}]") for index in range(size)])
    writer.add_token_types(
        [types[added.get(index)] if index in ids else gguf.TokenType.UNUSED for index in range(size)]
    )
    writer.add_token_merges([" ".join(pair) for pair in document["model"]["merges"]])
    for name in ("bos", "eos", "unk", "pad"):
        index = getattr(tokenizer, f"{name}_token_id")
        if index is not None:
            getattr(writer, f"add_{name}_token_id")(index)
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    if isinstance(tokenizer.chat_template, str):
        writer.add_chat_template(tokenizer.chat_template)
