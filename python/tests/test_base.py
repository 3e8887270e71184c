"""A base in two forms: both hold the same numbers and the same tokens."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoTokenizer

from tracemill_train import base as base_verb
from tracemill_train.llama_cpp import layout_of
from tracemill_train.refusal import Refusal


def quiet(*_: object, **__: object) -> None:
    """An emitter that drops its events."""


def gguf_weights(path: Path) -> dict[str, np.ndarray]:
    reader = gguf.GGUFReader(path)
    return {tensor.name: gguf.dequantize(tensor.data, tensor.tensor_type) for tensor in reader.tensors}


def expected_weights(hf: Path) -> dict[str, np.ndarray]:
    layout = layout_of(AutoConfig.from_pretrained(hf))
    expected = {}
    for name, values in load_file(hf / "model.safetensors").items():
        target = layout.tensor_name(name)
        expected[target] = layout.permuted(target, values.float().numpy())
    return expected


def requantised(source: Path, target: Path, kind: gguf.GGMLQuantizationType) -> Path:
    """Copies a GGUF with its matrices in another quantisation."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, arch="llama")
    base_verb.copy_metadata(reader, writer)
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        if values.ndim > 1:
            writer.add_tensor(tensor.name, gguf.quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(tensor.name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def assert_equal_weights(got: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    """Equal to the bit, but for values below 8e-6, where f16 has steps of 2^-24."""
    assert got.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(got[name], values, rtol=0, atol=2**-25, err_msg=name)
        large = np.abs(values) > 8e-6
        np.testing.assert_array_equal(got[name][large], values[large], err_msg=name)


def test_the_tiny_base_has_the_same_weights_in_both_forms(base: Path) -> None:
    assert_equal_weights(gguf_weights(base / "model-f16.gguf"), expected_weights(base / "hf"))


@pytest.mark.parametrize("kind", ["F16", "Q8_0", "Q4_1"])
def test_a_gguf_of_any_quantisation_becomes_two_forms_with_the_same_weights(
    base: Path, tmp_path: Path, kind: str
) -> None:
    source = requantised(base / "model-f16.gguf", tmp_path / "source.gguf", gguf.GGMLQuantizationType[kind])
    base_verb.run(base_verb.Request(out=tmp_path, gguf=source), quiet)
    got = gguf_weights(tmp_path / "model-f16.gguf")
    assert_equal_weights(got, expected_weights(tmp_path / "hf"))
    if kind == "F16":
        assert_equal_weights(got, gguf_weights(base / "model-f16.gguf"))


def test_a_converted_base_keeps_tokens_template_and_special_tokens(base: Path, tmp_path: Path) -> None:
    base_verb.run(base_verb.Request(out=tmp_path, gguf=base / "model-f16.gguf"), quiet)
    before, after = (AutoTokenizer.from_pretrained(folder) for folder in (base / "hf", tmp_path / "hf"))
    text = "<|im_start|>user\nrows\n\n  12 of 7 tables, é 日本 ٣٤\t5<|im_end|>"
    assert after(text).input_ids == before(text).input_ids
    assert (tmp_path / "hf/chat_template.jinja").read_text() == (base / "hf/chat_template.jinja").read_text()
    assert (after.bos_token, after.eos_token, after.pad_token) == (before.bos_token, before.eos_token, before.pad_token)
    fields = gguf.GGUFReader(tmp_path / "model-f16.gguf").fields
    assert fields["general.file_type"].contents() == gguf.LlamaFileType.MOSTLY_F16
    assert fields["tokenizer.ggml.merges"].contents() == gguf.GGUFReader(base / "model-f16.gguf").fields[
        "tokenizer.ggml.merges"
    ].contents()


def test_the_same_seed_gives_the_same_tiny_base(base: Path, tmp_path: Path) -> None:
    from tracemill_train import tiny_base

    tiny_base.run(tiny_base.Request(out=tmp_path, seed=1), quiet)
    for name in ("model-f16.gguf", "hf/model.safetensors", "hf/tokenizer.json"):
        assert (tmp_path / name).read_bytes() == (base / name).read_bytes(), name
    tiny_base.run(tiny_base.Request(out=tmp_path, seed=2), quiet)
    assert (tmp_path / "model-f16.gguf").read_bytes() != (base / "model-f16.gguf").read_bytes()


def test_the_permutation_pairs_each_half_of_a_head() -> None:
    layout = layout_of(AutoConfig.for_model("llama", num_attention_heads=2, num_key_value_heads=1))
    rows = np.arange(8).reshape(8, 1)
    assert layout.permuted("blk.0.attn_q.weight", rows).ravel().tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert layout.permuted("blk.0.attn_k.weight", rows).ravel().tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    assert layout.permuted("blk.0.attn_v.weight", rows).ravel().tolist() == list(range(8))


@pytest.mark.parametrize(
    ("request_of", "code"),
    [
        (lambda out: base_verb.Request(out=out), "BAD_REQUEST"),
        (lambda out: base_verb.Request(out=out, gguf=out / "none.gguf"), "NO_GGUF"),
        (lambda out: base_verb.Request(out=out, gguf=Path(__file__)), "NO_GGUF"),
        (lambda out: base_verb.Request(out=out, package="no_such_package"), "NO_PACKAGE"),
        (lambda out: base_verb.Request(out=out, package="json"), "NO_GGUF"),
    ],
)
def test_a_base_without_a_gguf_is_refused(tmp_path: Path, request_of: object, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        base_verb.find_gguf(request_of(tmp_path))  # type: ignore[operator]
    assert refused.value.code == code


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        layout_of(AutoConfig.for_model("gpt2"))
    assert refused.value.code == "UNSUPPORTED_ARCHITECTURE"


def test_bf16_weights_are_exact_in_f16_above_the_smallest_values() -> None:
    values = torch.tensor([8e-6, -1e-3, 0.5, 3.0, 60000.0]).bfloat16()
    assert torch.equal(values.half().bfloat16(), values)
