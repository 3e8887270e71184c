"""Training on frozen weights in 4 bits, and with 8-bit optimiser state: on a CPU the same code as on a GPU."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from tracemill_train import tiny_base
from tracemill_train.lora import add_lora, use_fast_forward
from tracemill_train.loss import answer_loss
from tracemill_train.model import load_model
from tracemill_train.quantization import keep_gradients
from tracemill_train.refusal import Refusal

from conftest import WriteDataset, make_rows, run_here, train_request


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `hf/` of the tiny Gemma 4, towers and all."""
    out = tmp_path_factory.mktemp("tiny-gemma4")
    tiny_base.run(tiny_base.Request(out, seed=1, family="gemma4"), lambda *_, **__: None)
    return out


def test_a_gemma_4_in_4_bits_trains_saves_reloads_and_answers_otherwise(
    gemma: Path, tmp_path: Path, write_dataset: WriteDataset
) -> None:
    dataset = write_dataset(make_rows(8, seed=1), make_rows(2, seed=2))
    settings = {"epochs": 1, "quantization": "nf4", "gradientCheckpointing": True, "learningRate": 0.1}
    ended = run_here("train", train_request(tmp_path, gemma, dataset, **settings))
    (finished,) = ended.of("finished")
    assert [point["step"] for point in finished["curve"]] == [1, 2]
    weights = load_file(tmp_path / "adapter/adapter_model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    assert all(weight.abs().sum() > 0 for weight in weights.values())
    model = load_model(gemma / "hf", torch.bfloat16, quantization="nf4")
    packed = [module for module in model.modules() if type(module).__name__ == "Linear4bit"]
    assert len(packed) == 41 and all(module.quant_state.nested for module in packed)
    ids = torch.tensor([[5, 6, 7, 8]])
    length: dict[str, Any] = {"max_new_tokens": 16, "min_new_tokens": 16, "do_sample": False}
    plain = model.generate(ids, **length).tolist()
    adapted = PeftModel.from_pretrained(model, tmp_path / "adapter").eval()
    answered = adapted.generate(input_ids=ids, **length).tolist()
    assert answered != plain
    with adapted.disable_adapter():
        assert adapted.generate(input_ids=ids, **length).tolist() == plain


def test_a_validation_leaves_the_gradients_of_4_bit_layers_as_they_were(gemma: Path) -> None:
    adapted = add_lora(load_model(gemma / "hf", torch.bfloat16, quantization="nf4"), 4, 8, 0.0)
    use_fast_forward(adapted)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.constant_(weight, 0.01)
    ids = torch.randint(3, 512, (2, 20), generator=torch.Generator().manual_seed(1))

    def gradients() -> list[torch.Tensor]:
        adapted.train()
        adapted.zero_grad()
        loss, _ = answer_loss(adapted.get_base_model(), ids, ids)
        loss.backward()
        return [weight.grad.clone() for weight in adapted.parameters() if weight.grad is not None]

    before = gradients()
    adapted.eval()
    with torch.no_grad():
        answer_loss(adapted.get_base_model(), ids, ids)
    after = gradients()
    assert len(before) == len(after) == 82
    for one, other in zip(before, after):
        torch.testing.assert_close(other, one, rtol=0, atol=0)
    assert all(gradient.abs().sum() > 0 for gradient in after)


def test_a_4_bit_layer_gives_what_peft_gives_and_keeps_no_second_copy_of_its_input(gemma: Path) -> None:
    adapted = add_lora(load_model(gemma / "hf", torch.bfloat16, quantization="nf4"), 4, 8, 0.0)
    layer = next(module for name, module in adapted.named_modules() if name.endswith("layers.0.mlp.gate_proj"))
    torch.nn.init.normal_(layer.lora_B["default"].weight, std=0.1)
    given = torch.randn((3, 50, layer.in_features), generator=torch.Generator().manual_seed(1)).bfloat16()
    theirs = layer(given)
    use_fast_forward(adapted)
    kept: list[torch.Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor) or tensor, lambda tensor: tensor):
        ours = layer(given.requires_grad_())
    torch.testing.assert_close(ours, theirs, rtol=0.02, atol=0.02)
    inputs = {tensor.data_ptr() for tensor in kept if tensor.numel() == given.numel()}
    assert inputs == {given.data_ptr()}


def test_no_4_bit_layer_may_repack_itself_whatever_the_processor(gemma: Path) -> None:
    model = load_model(gemma / "hf", torch.bfloat16, quantization="nf4")
    packed = [module for module in model.modules() if type(module).__name__ == "Linear4bit"]
    for module in packed:
        module.support_avx512bf16_for_cpu = True  # as bitsandbytes has it on a processor with AVX512-BF16
    keep_gradients(model)
    assert [module.support_avx512bf16_for_cpu for module in packed] == [False] * 41


def test_8_bit_optimiser_state_trains_and_is_in_the_checkpoint(
    base: Path, tmp_path: Path, write_dataset: WriteDataset
) -> None:
    dataset = write_dataset(make_rows(8, seed=1))
    settings = {"epochs": 6, "optimizer": "adamw-8bit", "rank": 64}
    ended = run_here("train", train_request(tmp_path, base, dataset, **settings))
    (finished,) = ended.of("finished")
    assert finished["curve"][-1]["loss"] < finished["curve"][0]["loss"] - 0.5
    (*_, last) = sorted((tmp_path / "checkpoints").iterdir(), key=lambda path: int(path.name.split("-")[1]))
    state = torch.load(last / "optimizer.pt", weights_only=True)["state"]
    moments = [entry["__bnb_optimizer_quant_state__"]["state1"] for entry in state.values()]
    assert all(moment.dtype == (torch.uint8 if moment.numel() >= 4096 else torch.float32) for moment in moments)
    assert sum(moment.dtype == torch.uint8 for moment in moments) > len(moments) / 2


def test_an_option_whose_package_is_missing_is_refused_with_the_line_that_installs_it(
    base: Path, tmp_path: Path, write_dataset: WriteDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = write_dataset(make_rows(4, seed=1))
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "bitsandbytes" else find(name, *rest))
    for setting in ({"quantization": "nf4"}, {"optimizer": "adamw-8bit"}):
        with pytest.raises(Refusal) as refused:
            run_here("train", train_request(tmp_path, base, dataset, **setting))
        assert refused.value.code == "NO_PACKAGES"
        assert "pip install" in refused.value.details["fix"]
    assert not (tmp_path / "adapter").exists()
