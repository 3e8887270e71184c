"""What a training leaves: safetensors alone, a form for llama.cpp or the reason why there is none, or a whole model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import AutoTokenizer

from tracemill_train import tiny_base
from tracemill_train.adapter_files import write_files
from tracemill_train.llama_cpp import layout_of
from tracemill_train.model import load_model
from tracemill_train.probes import probe_dtype, token_logprobs, write_probes
from tracemill_train.tiny_families import config_of

from conftest import WriteDataset, make_rows, run_here, train_request


def quiet(*_: object, **__: object) -> None:
    """An emitter that drops its events."""


def make_base(folder: Path, family: str) -> Path:
    tiny_base.run(tiny_base.Request(folder, seed=1, family=family), quiet)
    return folder


def assert_no_pickle(folder: Path) -> None:
    names = [path.name for path in folder.rglob("*")]
    assert any(name.endswith(".safetensors") for name in names)
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pth", ".pkl"))]


@pytest.mark.parametrize("family", ["llama", "gemma4"])
def test_all_weights_are_trained_and_come_out_as_a_base(
    tmp_path: Path, write_dataset: WriteDataset, family: str
) -> None:
    base = make_base(tmp_path / "base", family)
    validation = make_rows(2, seed=2)
    dataset = write_dataset(make_rows(8, seed=1), validation)
    request = {**train_request(tmp_path, base, dataset, epochs=6, trains="full"), "checkpointSeconds": 1000}
    (finished,) = run_here("train", request).of("finished")
    assert finished["curve"][-1]["loss"] < finished["curve"][0]["loss"] - 0.5
    assert "base of its own" in finished["ggufRefused"]
    out = tmp_path / "adapter"
    assert_no_pickle(out)
    assert sorted(path.name for path in out.iterdir()) == ["merged", "probes.json"]
    before, after = (load_file(folder / "model.safetensors") for folder in (base / "hf", out / "merged"))
    assert before.keys() == after.keys()
    assert all(after[name].dtype == torch.bfloat16 for name in after)
    changed = {name for name in after if not torch.equal(before[name], after[name])}
    assert any("embed_tokens" in name for name in changed) and any("norm" in name for name in changed)
    assert not [name for name in changed if "tower" in name or "embed_vision" in name or "embed_audio" in name]
    for name in ("tokenizer.json", "chat_template.jinja", "tokenizer_config.json"):
        assert (out / "merged" / name).read_bytes() == (base / "hf" / name).read_bytes()
    assert AutoTokenizer.from_pretrained(out / "merged")("SELECT 1").input_ids
    probe = json.loads((out / "probes.json").read_text())["probes"][0]
    trained = load_model(out / "merged", torch.float32).eval()
    assert probe["adapterLogprobs"] == pytest.approx(token_logprobs(trained, probe["ids"]), abs=1e-4)
    assert max(abs(x - y) for x, y in zip(probe["baseLogprobs"], probe["adapterLogprobs"])) > 0.01


@pytest.mark.parametrize("family", ["gemma4", "llama"])
def test_a_merged_model_answers_as_the_adapter_on_its_base(tmp_path: Path, family: str) -> None:
    base = make_base(tmp_path / "base", family) / "hf"
    run_here("tiny_adapter", {"base": base, "out": tmp_path / "adapter", "seed": 3})
    assert_no_pickle(tmp_path / "adapter")
    run_here("merge", {"base": base, "adapter": tmp_path / "adapter", "out": tmp_path / "merged"})
    assert_no_pickle(tmp_path / "merged")
    ids = list(range(10, 40))
    merged = token_logprobs(load_model(tmp_path / "merged", torch.float32).eval(), ids)
    plain = load_model(base, torch.float32).eval()
    of_base = token_logprobs(plain, ids)
    adapted = token_logprobs(PeftModel.from_pretrained(plain, tmp_path / "adapter").eval(), ids)
    to_adapted, to_base = (max(abs(x - y) for x, y in zip(merged, other)) for other in (adapted, of_base))
    assert to_adapted < 0.15 * to_base  # a merged weight is rounded to bf16 once more
    assert load_file(tmp_path / "merged/model.safetensors").keys() == load_file(base / "model.safetensors").keys()


@pytest.mark.parametrize("setting", [{"use_rslora": True}, {"use_dora": True}, {"alpha_pattern": {"q_proj": 3}}, {"rank_pattern": {"q_proj": 3}}])
def test_what_llama_cpp_cannot_express_is_written_without_and_the_reason_said(
    base: Path, tmp_path: Path, setting: dict
) -> None:
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "up_proj"], task_type="CAUSAL_LM", **setting)
    adapted = get_peft_model(load_model(base / "hf", torch.float32), config)
    said: list[str] = []
    reason = write_files(adapted, base / "hf", tmp_path, lambda type, stage: said.append(stage))
    (name,) = setting
    assert reason == f"llama.cpp cannot apply an adapter with {name}."
    assert f"no adapter.gguf: {reason}" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]


def test_an_architecture_that_llama_cpp_s_layout_does_not_know_is_a_reason_too(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracemill_train import llama_cpp

    adapted = get_peft_model(load_model(base / "hf", torch.float32), LoraConfig(r=4, target_modules=["q_proj"]))
    monkeypatch.setattr(llama_cpp, "ARCHITECTURES", {"gemma3_text": "gemma3"})
    reason = write_files(adapted, base / "hf", tmp_path, quiet)
    assert reason == "Adapters of this architecture cannot be written for llama.cpp yet. (llama)"


def test_only_llamas_and_mistrals_have_their_query_and_key_rows_permuted() -> None:
    import numpy as np

    rows = np.arange(64).reshape(64, 1)
    moved = {}
    for family in ("llama", "mistral", "qwen3", "gemma3", "gemma4"):
        layout = layout_of(config_of(family, 512))
        name = layout.tensor_name("model.language_model.layers.1.self_attn.q_proj.weight")
        assert name == "blk.1.attn_q.weight"
        moved[family] = not np.array_equal(layout.permuted(name, rows), rows)
        assert np.array_equal(layout.permuted("blk.1.attn_v.weight", rows), rows)
    assert moved == {"llama": True, "mistral": True, "qwen3": False, "gemma3": False, "gemma4": False}


def test_probes_are_as_exact_as_the_free_memory_allows(base: Path, tmp_path: Path) -> None:
    weights = sum(weight.numel() for weight in load_model(base / "hf", torch.float32).parameters())
    free = [8 * weights, 8 * weights - 1, 4 * weights, 4 * weights - 1]
    assert [probe_dtype(base / "hf", bytes) for bytes in free] == [torch.float32, torch.bfloat16, torch.bfloat16, None]


def test_a_base_that_no_memory_holds_is_scored_as_it_was_trained(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_here("tiny_adapter", {"base": base / "hf", "out": tmp_path, "seed": 3})
    exact = json.loads((tmp_path / "probes.json").read_text())
    packed = load_model(base / "hf", torch.bfloat16, quantization="nf4")
    trained = PeftModel.from_pretrained(packed, tmp_path)
    monkeypatch.setattr("tracemill_train.probes.probe_dtype", lambda base, free: None)
    for model in (trained, None):  # a divided one is loaded anew
        write_probes(base / "hf", tmp_path, [exact["probes"][0]["ids"]], model, "nf4")
        rough = json.loads((tmp_path / "probes.json").read_text())
        assert (exact["dtype"], rough["dtype"]) == ("float32", "nf4")
        (probe,) = rough["probes"]
        assert max(abs(x - y) for x, y in zip(probe["baseLogprobs"], probe["adapterLogprobs"])) > 0.01
