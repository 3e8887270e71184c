"""The adapter for llama.cpp does to llama.cpp's weights what the PEFT adapter does to transformers'."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file
from transformers import AutoConfig

from tracemill_train import tiny_adapter
from tracemill_train.gguf_adapter import convert_adapter
from tracemill_train.llama_cpp import layout_of
from tracemill_train.refusal import Refusal


def make_adapter(base: Path, out: Path, spoil: str | None = None) -> Path:
    tiny_adapter.run(tiny_adapter.Request(base / "hf", out, seed=3, spoil=spoil), lambda *_, **__: None)
    return out


def gguf_deltas(path: Path) -> dict[str, np.ndarray]:
    """The change that llama.cpp makes to each of its weights: alpha / rank * lora_b lora_a."""
    reader = gguf.GGUFReader(path)
    alpha = reader.fields["adapter.lora.alpha"].contents()
    tensors = {tensor.name: np.array(tensor.data) for tensor in reader.tensors}
    names = {name.removesuffix(".lora_a") for name in tensors if name.endswith(".lora_a")}
    return {
        name: alpha / len(tensors[f"{name}.lora_a"]) * tensors[f"{name}.lora_b"] @ tensors[f"{name}.lora_a"]
        for name in names
    }


def peft_deltas(folder: Path, hf: Path) -> dict[str, np.ndarray]:
    """The change that PEFT makes to each weight, then laid out as llama.cpp has that weight."""
    layout = layout_of(AutoConfig.from_pretrained(hf))
    config = json.loads((folder / "adapter_config.json").read_text())
    tensors = load_file(folder / "adapter_model.safetensors")
    deltas = {}
    for name, low in tensors.items():
        if not name.endswith(".lora_A.weight"):
            continue
        module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
        delta = config["lora_alpha"] / config["r"] * tensors[name.replace("lora_A", "lora_B")] @ low
        target = layout.tensor_name(f"{module}.weight")
        deltas[target] = layout.permuted(target, delta)
    return deltas


def assert_same(got: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert got.keys() == expected.keys()
    for name, delta in expected.items():
        np.testing.assert_allclose(got[name], delta, rtol=1e-5, atol=1e-6, err_msg=name)


def test_both_forms_change_every_weight_alike(base: Path, tmp_path: Path) -> None:
    folder = make_adapter(base, tmp_path)
    got = gguf_deltas(folder / "adapter.gguf")
    assert len(got) == 2 * 7
    assert_same(got, peft_deltas(folder, base / "hf"))
    fields = gguf.GGUFReader(folder / "adapter.gguf").fields
    assert fields["general.type"].contents() == "adapter"
    assert fields["adapter.type"].contents() == "lora"
    assert fields["general.architecture"].contents() == "llama"


@pytest.mark.parametrize("spoil", ["zero", "unpermuted"])
def test_a_spoiled_adapter_differs_from_the_sound_one(base: Path, tmp_path: Path, spoil: str) -> None:
    folder = make_adapter(base, tmp_path, spoil)
    got, sound = gguf_deltas(folder / "adapter.gguf"), peft_deltas(folder, base / "hf")
    differing = {name for name, delta in sound.items() if not np.allclose(got[name], delta, atol=1e-6)}
    if spoil == "zero":
        assert differing == sound.keys()
    else:
        assert differing == {f"blk.{block}.attn_{part}.weight" for block in (0, 1) for part in "qk"}


@pytest.mark.parametrize(
    "change", [{"use_rslora": True}, {"use_dora": True}, {"alpha_pattern": {"q_proj": 3}}, {"peft_type": "IA3"}]
)
def test_an_adapter_that_llama_cpp_cannot_express_is_refused(base: Path, tmp_path: Path, change: dict) -> None:
    folder = make_adapter(base, tmp_path)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(Refusal) as refused:
        convert_adapter(folder, base / "hf", folder / "other.gguf")
    assert refused.value.code == "UNSUPPORTED_ADAPTER"
    assert not (folder / "other.gguf").exists()
