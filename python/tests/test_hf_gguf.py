"""A Hugging Face folder becomes the GGUF that is served, or is refused before anything is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Callable

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models
from transformers import LlamaConfig, PreTrainedTokenizerFast

from tracemill_train import hf_gguf
from tracemill_train.refusal import Refusal


def quiet(*_: object, **__: object) -> None:
    """An emitter that drops its events."""


@pytest.fixture
def folder(base: Path, tmp_path: Path) -> Path:
    """A copy of the tiny base's folder, which a test may change."""
    return Path(shutil.copytree(base / "hf", tmp_path / "hf"))


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def convert(folder: Path) -> gguf.GGUFReader:
    target = folder.parent / "model.gguf"
    hf_gguf.run(hf_gguf.Request(hf=folder, out=target), quiet)
    return gguf.GGUFReader(target)


def test_the_same_folder_gives_the_same_bytes_and_is_only_read(base: Path, folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    convert(folder)
    assert (folder.parent / "model.gguf").read_bytes() == (base / "model-f16.gguf").read_bytes()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_ids_that_the_tokenizer_lacks_are_unused_tokens(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    name = "model.embed_tokens.weight"
    weights[name] = torch.cat([weights[name], torch.zeros(3, 64, dtype=torch.bfloat16)])
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    change_config(folder, vocab_size=515)
    fields = convert(folder).fields
    assert fields["tokenizer.ggml.tokens"].contents()[-4:][1:] == ["[PAD512]", "[PAD513]", "[PAD514]"]
    assert fields["tokenizer.ggml.token_type"].contents()[-3:] == [gguf.TokenType.UNUSED] * 3


def test_linear_scaling_divides_every_frequency_alike() -> None:
    rope = {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}
    factors = hf_gguf.rope_factors(LlamaConfig(hidden_size=64, num_attention_heads=4, rope_parameters=rope))
    assert factors is not None and factors.shape == (8,)
    np.testing.assert_allclose(factors, 4.0, rtol=1e-6)
    assert hf_gguf.rope_factors(LlamaConfig()) is None


def with_overflow(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["model.layers.0.mlp.up_proj.weight"][0, 0] = 1e6
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def with_other_tokenizer(folder: Path) -> None:
    """Bytes as tokens of their own, as in the tokenizers of the first llamas."""
    vocabulary = {token: index for index, token in enumerate(["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>", byte_fallback=True))
    tokenizer.decoder = decoders.ByteFallback()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>").save_pretrained(folder)


def with_missing_file(folder: Path) -> None:
    index = {"metadata": {}, "weight_map": {"model.norm.weight": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def with_integer_weights(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] = weights["model.norm.weight"].to(torch.int8)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


YARN = {"rope_type": "yarn", "factor": 4.0, "rope_theta": 10000.0}


@pytest.mark.parametrize(
    ("change", "code", "got"),
    [
        (lambda folder: change_config(folder, model_type="gpt2"), "UNSUPPORTED_ARCHITECTURE", "gpt2"),
        (lambda folder: change_config(folder, hidden_act="gelu"), "UNSUPPORTED_ARCHITECTURE", "gelu, default"),
        (lambda folder: change_config(folder, rope_parameters=YARN), "UNSUPPORTED_ARCHITECTURE", "silu, yarn"),
        (lambda folder: change_config(folder, quantization_config={"bits": 4}), "UNSUPPORTED_WEIGHTS", "quantiz"),
        (with_integer_weights, "UNSUPPORTED_WEIGHTS", "model.norm.weight as I8"),
        (with_other_tokenizer, "UNSUPPORTED_TOKENIZER", "BPE with ids up to 256"),
        (lambda folder: change_config(folder, vocab_size=500), "UNSUPPORTED_TOKENIZER", "ids up to 511"),
        (with_overflow, "NOT_IN_F16", "model.layers.0.mlp.up_proj.weight"),
    ],
)
def test_what_would_be_written_wrongly_is_refused(
    folder: Path, change: Callable[[Path], None], code: str, got: str
) -> None:
    change(folder)
    with pytest.raises(Refusal) as refused:
        convert(folder)
    assert refused.value.code == code
    assert got in refused.value.details["got"]
    assert "--gguf FILE" in refused.value.details["fix"]


def test_a_file_that_the_index_names_and_that_is_gone_is_refused(folder: Path) -> None:
    with_missing_file(folder)
    with pytest.raises(Refusal) as refused:
        convert(folder)
    assert refused.value.code == "MISSING_FILE"
    assert refused.value.details["where"].endswith("model-00002-of-00002.safetensors")


def test_a_folder_without_a_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        convert(tmp_path)
    assert refused.value.code == "BAD_REQUEST"
