"""Every family's own regular expression against tiny models of the real classes, towers and all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM

from tracemill_train import tiny_base
from tracemill_train.loading import place
from tracemill_train.lora import add_lora
from tracemill_train.loss import answer_loss
from tracemill_train.model import empty_model, load_config, load_model, remove_towers, text_model
from tracemill_train.placement import ON_CPU, check_placed, device_map, sizes_of
from tracemill_train.refusal import Refusal
from tracemill_train.tiny_families import CONFIGS, build_tiny, config_of

from conftest import WriteDataset, make_rows, parsed, run_here, train_request

FAMILIES = Path(__file__).parents[2] / "src/train/families"


def family_of(model_type: str) -> tuple[str, str]:
    """The regular expression of a model type's family and its class of blocks, as the command hands them over."""
    for file in FAMILIES.glob("*.ts"):
        text = file.read_text()
        types = re.search(r"modelTypes: \[(.*?)\]", text)
        targets = re.search(r"loraTargets: String\.raw`(.*?)`", text)
        block = re.search(r'blockClass: "(.*?)"', text)
        assert types and targets and block, file
        if f'"{model_type}"' in types[1]:
            return targets[1], block[1]
    raise AssertionError(f"no family has {model_type}")


def make_base(folder: Path, family: str) -> Path:
    tiny_base.run(tiny_base.Request(folder, seed=1, family=family), lambda *_, **__: None)
    return folder


@pytest.mark.parametrize("family", sorted(CONFIGS))
def test_every_projection_of_the_text_stack_gets_a_lora_and_nothing_else(family: str) -> None:
    model = build_tiny(family, 512, seed=1)
    targets, block_class = family_of(family)
    text = text_model(model)
    assert {type(block).__name__ for block in text.layers} == {block_class}
    (stack,) = [name for name, module in model.named_modules() if module is text]
    layers = {f"{stack}.layers.{name}" for name, module in text.layers.named_modules() if type(module) is torch.nn.Linear}
    linear = {name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    assert layers < linear, "the head, and the towers of those that have them, are linear too"
    adapted = add_lora(model, 4, 8, 0.0, targets)
    got = {name.removeprefix("base_model.model.") for name, module in adapted.named_modules() if hasattr(module, "lora_A")}
    assert got == layers
    assert len(layers) == (41 if family.startswith("gemma4") else 7 * len(text.layers))


def test_the_tiny_gemma_4_has_the_traits_of_the_large_one() -> None:
    text = text_model(build_tiny("gemma4", 512, seed=1))
    kinds = ["full" if block.self_attn.v_proj is None else "sliding" for block in text.layers]
    assert kinds == ["sliding"] * 5 + ["full"]
    assert text.layers[5].self_attn.head_dim == 2 * text.layers[0].self_attn.head_dim
    assert text.config.final_logit_softcapping == 30 and text.config.tie_word_embeddings


@pytest.mark.parametrize("family", ["gemma3", "gemma4"])
def test_a_model_without_its_towers_answers_as_with_them(tmp_path: Path, family: str) -> None:
    folder = make_base(tmp_path, family) / "hf"
    ids = torch.randint(3, 512, (2, 40), generator=torch.Generator().manual_seed(1))
    whole, part = (load_model(folder, torch.float32, with_towers=towers).eval() for towers in (True, False))
    with torch.no_grad():
        torch.testing.assert_close(part(input_ids=ids).logits, whole(input_ids=ids).logits)
    assert whole.base_model.vision_tower is not None and part.base_model.vision_tower is None
    assert sum(w.numel() for w in part.parameters()) < sum(w.numel() for w in whole.parameters())
    remove_towers(whole)
    assert {name for name, _ in whole.named_parameters()} == {name for name, _ in part.named_parameters()}


@pytest.mark.parametrize("quantization", ["none", "nf4"])
@pytest.mark.parametrize("family", ["gemma3", "gemma4", "llama"])
def test_a_map_of_blocks_covers_all_that_is_loaded(tmp_path: Path, family: str, quantization: str) -> None:
    folder = make_base(tmp_path, family) / "hf"
    empty = empty_model(load_config(folder))
    names = device_map(empty, [0] * len(text_model(empty).layers))
    placed: dict[str, int | str] = {name: "cpu" for name in names}
    model = load_model(folder, torch.bfloat16, quantization=quantization, device_map=placed)
    check_placed(model, placed)
    with torch.no_grad():
        assert torch.isfinite(model(input_ids=torch.tensor([[5, 6, 7]])).logits).all()


def test_blocks_that_share_keys_and_values_train_with_activations_computed_twice() -> None:
    config = config_of("gemma4_text", 512)
    own = {"num_kv_shared_layers": 2, "hidden_size_per_layer_input": 8, "num_hidden_layers": 6, "attention_k_eq_v": False}
    kinds = ["sliding_attention", "full_attention"] * 3  # as Gemma 4 E2B: the last blocks take what the first ones kept
    config = type(config)(**{**config.to_dict(), **own, "layer_types": kinds, "per_layer_config": None})
    torch.manual_seed(1)
    adapted = add_lora(AutoModelForCausalLM.from_config(config), 4, 8, 0.0, family_of("gemma4_text")[0])
    ids = torch.randint(3, 512, (2, 20), generator=torch.Generator().manual_seed(1))
    gradients = []
    for is_on in (False, True):
        if is_on:
            adapted.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        adapted.train().zero_grad()
        answer_loss(adapted.get_base_model(), ids, ids)[0].backward()
        gradients.append([weight.grad.clone() for weight in adapted.parameters() if weight.grad is not None])
    assert len(gradients[0]) == len(gradients[1]) > 0
    for one, other in zip(*gradients):
        torch.testing.assert_close(other, one)


@pytest.mark.parametrize("family", ["gemma3", "gemma4", "gemma4_text", "mistral", "qwen3"])
def test_a_family_trains_and_its_adapter_has_the_names_that_a_server_looks_for(
    tmp_path: Path, write_dataset: WriteDataset, family: str
) -> None:
    base = make_base(tmp_path / "base", family)
    dataset = write_dataset(make_rows(8, seed=1), make_rows(2, seed=2))
    request = train_request(tmp_path, base, dataset, epochs=6)
    ended = run_here("train", {**request, "loraTargets": family_of(family)[0], "checkpointSeconds": 1000})
    (finished,) = ended.of("finished")
    assert finished["curve"][-1]["loss"] < finished["curve"][0]["loss"] - 0.5
    assert "ggufRefused" not in finished
    folder = tmp_path / "adapter"
    with safe_open(folder / "adapter_model.safetensors", framework="pt") as tensors:
        stacks = {name.split("layers.")[0] for name in tensors.keys()}
    stack = "model.language_model." if family in ("gemma3", "gemma4") else "model."
    assert stacks == {f"base_model.model.{stack}"}
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(base / "hf")


@pytest.mark.parametrize("family", ["gemma4", "llama"])
def test_gradient_checkpointing_changes_no_loss(tmp_path: Path, write_dataset: WriteDataset, family: str) -> None:
    base = make_base(tmp_path / "base", family)
    dataset = write_dataset(make_rows(8, seed=1), make_rows(2, seed=2))
    curves = []
    for is_on in (False, True):
        request = train_request(tmp_path / str(is_on), base, dataset, gradientCheckpointing=is_on)
        (finished,) = run_here("train", {**request, "checkpointSeconds": 1000}).of("finished")
        curves.append([(point["loss"], point["validationLoss"]) for point in finished["curve"]])
    assert curves[0] == curves[1]


def test_the_bytes_of_a_model_are_counted_from_its_config(tmp_path: Path) -> None:
    folder = make_base(tmp_path, "gemma4") / "hf"
    config = load_config(folder)
    sizes = sizes_of(config, torch.bfloat16, quantization="none", rank=0)
    model = load_model(folder, torch.bfloat16)
    assert sizes.ends + sum(sizes.blocks) == sum(weight.numel() * 2 for weight in model.parameters())
    packed = sizes_of(config, torch.bfloat16, quantization="nf4", rank=0)
    assert packed.ends == sizes.ends and sum(packed.blocks) < 0.28 * sum(sizes.blocks)
    assert sum(sizes_of(config, torch.bfloat16, quantization="nf4", rank=4).blocks) > sum(packed.blocks)


def test_without_a_gpu_all_of_a_model_lies_in_memory(base: Path, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    settings = parsed("train", train_request(tmp_path, base, tmp_path)).config
    assert place(base / "hf", settings, torch.float32) == ON_CPU


def test_a_pattern_that_matches_no_module_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        add_lora(build_tiny("llama", 512, seed=1), 4, 8, 0.0, r"transformer\.h\.\d+\.attn")
    assert refused.value.code == "NO_LORA_TARGETS"
