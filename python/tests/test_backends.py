"""What trains beside our own trainer: refused where it is not there, and its adapters finished as ours are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import WriteDataset, make_rows

from tracemill_train import finish, tiny_adapter
from tracemill_train.backends import unsloth
from tracemill_train.refusal import Refusal
from tracemill_train.settings import Settings


def silent(*_: Any, **__: Any) -> None:
    """Takes events and tells nobody."""


def test_unsloth_is_refused_where_it_is_not_installed() -> None:
    with pytest.raises(Refusal) as refused:
        unsloth.run(unsloth.Request(only_check=True), silent)
    assert refused.value.details["code"] == "NO_UNSLOTH"
    assert "pip install unsloth" in refused.value.details["fix"]


def test_unsloth_gets_the_settings_of_the_request() -> None:
    class Recorder:
        """Stands where the package would: keeps what it is called with."""

        def __init__(self) -> None:
            self.calls: dict[str, dict[str, Any]] = {}
            self.FastLanguageModel = self

        def from_pretrained(self, **given: Any) -> tuple[str, None]:
            self.calls["load"] = given
            return "model", None

        def get_peft_model(self, model: str, **given: Any) -> str:
            self.calls["adapt"] = given
            return f"adapted {model}"

    settings = Settings(
        rank=8, alpha=16, dropout=0.0, learning_rate=1e-4, epochs=1, batch_size=1, warmup_steps=0, max_tokens=512, seed=3,
        quantization="nf4", gradient_checkpointing=True,
    )
    request = unsloth.Request(base=Path("/base"), config=settings)
    recorder = Recorder()
    assert unsloth.adapt(recorder, unsloth.load(recorder, request), request) == "adapted model"
    assert recorder.calls["load"] == {
        "model_name": "/base", "max_seq_length": 512, "dtype": None, "load_in_4bit": True,
    }
    adapted = recorder.calls["adapt"]
    assert (adapted["r"], adapted["lora_alpha"], adapted["random_state"]) == (8, 16, 3)
    assert adapted["use_gradient_checkpointing"] == "unsloth"


def test_an_adapter_of_another_trainer_gets_its_gguf_and_its_probes(base: Path, write_dataset: WriteDataset, tmp_path: Path) -> None:
    folder, out = write_dataset(make_rows(4, 1), make_rows(2, 2)), tmp_path / "out"
    tiny_adapter.run(tiny_adapter.Request(base / "hf", out, seed=3), silent)
    for name in ("adapter.gguf", "probes.json"):
        (out / name).unlink()
    result = finish.run(finish_request(base, folder, out), silent)
    assert result["trainedTokens"] > 0
    probes = json.loads((out / "probes.json").read_text())["probes"]
    assert len(probes) == 2
    assert all(probe["baseLogprobs"] != probe["adapterLogprobs"] for probe in probes)
    assert (out / "adapter.gguf").read_bytes()[:4] == b"GGUF"


def test_a_trainer_that_left_no_adapter_is_told(base: Path, write_dataset: WriteDataset, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        finish.run(finish_request(base, write_dataset(make_rows(4, 1)), tmp_path), silent)
    assert refused.value.details["code"] == "NO_ADAPTER"


def test_an_adapter_of_a_base_that_only_fits_in_4_bits_gets_its_probes_in_these(
    base: Path, write_dataset: WriteDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = write_dataset(make_rows(4, 1)), tmp_path / "out"
    tiny_adapter.run(tiny_adapter.Request(base / "hf", out, seed=3), silent)
    monkeypatch.setattr("tracemill_train.probes.probe_dtype", lambda base, free: None)
    finish.run(finish_request(base, folder, out, quantization="nf4"), silent)
    assert json.loads((out / "probes.json").read_text())["dtype"] == "nf4"


def finish_request(base: Path, dataset: Path, out: Path, quantization: str = "none") -> finish.Request:
    """Asks for the rest of an adapter of the tiny base."""
    return finish.Request(dataset, base / "hf", out, vocabulary=512, seed=1, quantization=quantization, threads=1)
