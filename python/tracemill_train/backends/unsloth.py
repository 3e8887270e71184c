"""Verb `train-unsloth`: as `train`, on a base that Unsloth loads and patches. Rows, order, loss, reports and files are ours.

Unsloth changes the other libraries as it is imported, so it has to come before them: `train` is imported behind it.
Written from its documentation and never run on a GPU by the project's own tests.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..events import Emit
from ..refusal import Refusal
from ..settings import Settings

PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
LEAST_CAPABILITY = (7, 0)
"""Source: Unsloth's requirements page."""


@dataclass(frozen=True)
class Request:
    """As the request of `train`; with `only_check` nothing is done but to refuse where Unsloth could not train."""

    only_check: bool = False
    method: str | None = None
    dataset: Path | None = None
    base: Path | None = None
    out: Path | None = None
    checkpoint_folder: Path | None = None
    config: Settings | None = None
    lora_targets: str | None = None
    block_class: str | None = None
    launch: str = "single"
    block_devices: list[int] | None = None
    planned_gpus: int = 0
    parent: Path | None = None
    rehearsal: Path | None = None


def run(request: Request, emit: Emit) -> dict[str, object]:
    """Trains as `train` does. Raises: `Refusal` NO_UNSLOTH, NO_GPU, and those of `train`."""
    check_ready()
    if request.only_check:
        return {}
    unsloth = importlib.import_module("unsloth")
    train = importlib.import_module("..train", __package__)
    given = {name: value for name, value in vars(request).items() if name != "only_check"}
    loader = train.Loader(lambda asked: load(unsloth, asked), lambda model, asked: adapt(unsloth, model, asked))
    return train.run(train.Request(**given), emit, loader)


def check_ready() -> None:
    """Raises: `Refusal` NO_UNSLOTH where it is not installed, NO_GPU where PyTorch finds none that it supports."""
    if importlib.util.find_spec("unsloth") is None:
        raise Refusal(
            "NO_UNSLOTH",
            "Unsloth is not installed in the trainer's Python.",
            got='no package "unsloth"',
            fix="pip install unsloth there, or train with --backend peft",
        )
    import torch

    has_gpu = torch.cuda.is_available()
    if not has_gpu or torch.cuda.get_device_capability() < LEAST_CAPABILITY:
        raise Refusal(
            "NO_GPU",
            "Unsloth trains on a GPU alone.",
            expected="an NVIDIA GPU of compute capability 7.0 or above",
            got="an older one" if has_gpu else "none that PyTorch finds",
            fix="train with --backend peft",
        )


def load(unsloth: Any, request: Any) -> Any:
    """Loads a base by Unsloth, in 4 bits where that is asked for."""
    config = request.config
    model, _ = unsloth.FastLanguageModel.from_pretrained(
        model_name=str(request.base),
        max_seq_length=config.max_tokens,
        dtype=None,
        load_in_4bit=config.quantization == "nf4",
    )
    return model


def adapt(unsloth: Any, model: Any, request: Any) -> Any:
    """Puts a LoRA on every projection of the text stack; its own modules are chosen by name, not by our expression."""
    config = request.config
    return unsloth.FastLanguageModel.get_peft_model(
        model,
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=PROJECTIONS,
        bias="none",
        use_gradient_checkpointing="unsloth" if config.gradient_checkpointing else False,
        random_state=config.seed,
    )
