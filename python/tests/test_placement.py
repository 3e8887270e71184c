"""Where the blocks of a model go: arithmetic on byte counts, for GPUs that this machine need not have."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest
import torch
from transformers import Trainer
from trl import SFTConfig

from tracemill_train.loading import place
from tracemill_train.model import load_config
from tracemill_train.placement import Sizes, check_placed, device_map, place_blocks, sizes_of
from tracemill_train.refusal import Refusal
from tracemill_train.settings import Settings
from tracemill_train.tiny_families import build_tiny, config_of
from tracemill_train.trainer_arguments import never_copied, training_arguments

GIB = 2**30


def shares(sizes: Sizes, devices: list[int], free: list[int]) -> list[float]:
    """How full each device is, 1 for full."""
    used = [sizes.ends] + [0] * (len(free) - 1)
    for size, device in zip(sizes.blocks, devices):
        used[device] += size
    return [bytes / room if room else float(bytes > 0) * 9 for bytes, room in zip(used, free)]


@pytest.mark.parametrize(
    ("blocks", "ends", "free", "expected"),
    [
        ([1] * 6, 0, [10], [0] * 6),
        ([1] * 6, 0, [10, 10], [0, 0, 0, 1, 1, 1]),
        ([1] * 6, 4, [10, 10], [0, 1, 1, 1, 1, 1]),  # the embedding fills its device as four blocks would
        ([1] * 6, 0, [10, 5], [0, 0, 0, 0, 1, 1]),  # half the room, half the blocks
        ([1] * 6, 3, [3, 10], [1] * 6),  # room for the ends and nothing more
        ([1, 1, 6, 1, 1], 0, [10, 10, 10], [0, 0, 1, 2, 2]),  # one block that is as large as all others
        ([2] * 4, 0, [10, 0, 10], [0, 0, 2, 2]),  # a device that something else fills
        ([5], 1, [3, 6], [1]),
        ([], 1, [3, 6], []),
    ],
)
def test_blocks_stay_in_order_and_the_fullest_device_is_as_empty_as_can_be(
    blocks: list[int], ends: int, free: list[int], expected: list[int]
) -> None:
    assert place_blocks(Sizes(ends, blocks), free) == expected


def test_no_other_way_to_cut_a_model_leaves_more_room() -> None:
    drawer = random.Random(7)
    for _ in range(60):
        blocks = [drawer.randint(1, 9) for _ in range(drawer.randint(1, 7))]
        free = [drawer.randint(20, 60) for _ in range(drawer.randint(1, 4))]
        sizes = Sizes(drawer.randint(0, 12), blocks)
        ways = itertools.combinations_with_replacement(range(len(free)), len(blocks))
        least = min(max(shares(sizes, list(way), free)) for way in ways)
        if least > 1:
            with pytest.raises(Refusal):
                place_blocks(sizes, free)
        else:
            assert max(shares(sizes, place_blocks(sizes, free), free)) == pytest.approx(least)


@pytest.mark.parametrize(
    ("blocks", "ends", "free"),
    [
        ([1] * 6, 0, [5]),
        ([1] * 6, 0, [2, 2]),
        ([1], 5, [4, 100]),  # the ends stay whole, on the first device
        ([7, 7], 0, [10, 3]),  # a block stays whole
        ([1], 0, [0]),
    ],
)
def test_a_model_that_does_not_fit_in_whole_blocks_is_refused(blocks: list[int], ends: int, free: list[int]) -> None:
    with pytest.raises(Refusal) as refused:
        place_blocks(Sizes(ends * GIB, [size * GIB for size in blocks]), [room * GIB for room in free])
    assert refused.value.code == "DOES_NOT_FIT"
    assert "GiB free on" in refused.value.details["got"]


def test_gemma_4_31b_in_4_bits_fits_two_cards_of_24_gb_and_not_one() -> None:
    sliding = 5376 * (32 * 256 * 2 + 16 * 256 * 2) + 3 * 5376 * 21504
    whole = 5376 * (32 * 512 * 2 + 4 * 512) + 3 * 5376 * 21504
    blocks = [round((whole if index % 6 == 5 else sliding) * (4 + 0.127) / 8) for index in range(60)]
    assert sum(blocks) / GIB == pytest.approx(14.1, rel=0.01)
    sizes = Sizes(262144 * 5376 * 2, blocks)
    room = 21 * GIB
    devices = place_blocks(sizes, [room] * 4)
    assert devices == sorted(devices) and set(devices) == {0, 1, 2, 3}
    assert max(shares(sizes, devices, [room] * 4)) - min(shares(sizes, devices, [room] * 4)) < 0.02
    assert set(place_blocks(sizes, [room // 2] * 2)) == {0, 1}
    with pytest.raises(Refusal):
        place_blocks(sizes, [16 * GIB])


@pytest.mark.parametrize("family", ["gemma4", "gemma4_text", "gemma3", "llama"])
def test_embedding_head_and_norm_lie_together_and_every_weight_has_a_place(family: str) -> None:
    model = build_tiny(family, 512, seed=1)
    blocks = sizes_of(config_of(family, 512), torch.bfloat16, quantization="none", rank=4).blocks
    placed = device_map(model, [index * 3 // len(blocks) for index in range(len(blocks))])
    stack = "model.language_model" if family in ("gemma4", "gemma3") else "model"
    assert {placed[name] for name in ("lm_head", f"{stack}.embed_tokens", f"{stack}.norm")} == {0}
    assert placed[f"{stack}.layers.0"] == 0
    assert placed[f"{stack}.layers.{len(blocks) - 1}"] == (2 if len(blocks) > 2 else 1)
    for name, _ in model.named_parameters():
        assert any(name.startswith(f"{part}.") for part in placed), name


def test_a_weight_that_lies_elsewhere_than_planned_fails_the_check() -> None:
    model = build_tiny("llama", 512, seed=1)
    everywhere = {"model.embed_tokens": "cpu", "lm_head": "cpu", "model.norm": "cpu", "model.layers": "cpu"}
    check_placed(model, everywhere)
    check_placed(model, {"": "cpu"})
    refused = [
        misplacement(model, placed)
        for placed in (
            {**everywhere, "model.layers.1": "meta"},
            {**everywhere, "model.layers.0": 1},
            {"model.norm": "cpu", "model.layers": "cpu"},
        )
    ]
    model.model.layers[1].to("meta")
    refused.append(misplacement(model, everywhere))
    assert [(told["expected"], told["got"]) for told in refused] == [
        ("meta", "cpu"),
        ("cuda:1", "cpu"),
        ("a place for it", "none"),
        ("cpu", "meta"),
    ]
    assert [told["where"].split(".")[1] for told in refused] == ["layers", "layers", "embed_tokens", "layers"]


def misplacement(model: torch.nn.Module, placed: dict[str, int | str]) -> dict[str, str]:
    """What is told of a model that lies otherwise than it was placed."""
    with pytest.raises(Refusal) as refused:
        check_placed(model, placed)
    assert refused.value.code == "MISPLACED_WEIGHT"
    return refused.value.details


def test_a_machine_of_many_gpus_gets_no_copies_of_the_model(tmp_path: Path) -> None:
    """transformers sets the number of GPUs so where it sees two, and copies the model to each; on a processor too."""
    model = build_tiny("llama", 512, seed=1)
    settings = Settings(4, 8, 0, 0.01, 1, 8, 1, 64, 1)
    wrapped = []
    for guard in (lambda arguments: arguments, never_copied):
        arguments = SFTConfig(**training_arguments(settings, tmp_path))
        arguments._n_gpu = 2
        trainer = Trainer(model, guard(arguments))
        wrapped.append((type(trainer._wrap_model(model)), trainer.args.train_batch_size))
    assert wrapped == [(torch.nn.DataParallel, 16), (type(model), 8)]


def test_the_blocks_lie_where_the_plan_has_them(base: Path) -> None:
    settings = Settings(4, 8, 0, 0.01, 1, 8, 1, 64, 1)
    count = len(sizes_of(load_config(base / "hf"), torch.float32, quantization="none", rank=4).blocks)
    planned = [0] * (count - 1) + [1]
    placed = place(base / "hf", settings, torch.float32, planned)
    assert [placed[f"model.layers.{index}"] for index in range(count)] == planned
