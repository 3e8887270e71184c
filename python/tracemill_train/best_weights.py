"""The trained weights at the validation with the lowest loss, kept beside the checkpoints until the training ends."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from .fsdp import put_weights, trained_weights
from .launch import is_first


@dataclass(frozen=True)
class Best:
    """The step of the lowest validation loss, that loss, and how many validations have come since."""

    step: int
    loss: float
    validations_since: int


def keep_best(model: torch.nn.Module, folder: Path, step: int) -> None:
    """Writes the weights that are trained, named by their step, beside earlier ones: a checkpoint may still mean those."""
    trained = trained_weights(model)
    if not is_first():
        return
    folder.mkdir(parents=True, exist_ok=True)
    target = best_file(folder, step)
    temporary = target.with_suffix(".tmp")
    save_file(trained, temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(target)


def forget_bests(folder: Path, but: int | None) -> None:
    """Removes kept weights, but those of a step that a checkpoint on the disk names as the best."""
    for file in folder.glob("best-*.safetensors"):
        if but is None or file != best_file(folder, but):
            file.unlink()


def best_file(folder: Path, step: int) -> Path:
    """Returns where the weights of a step are kept."""
    return folder / f"best-{step}.safetensors"


def take_best(model: torch.nn.Module, folder: Path, step: int) -> None:
    """Puts the weights that were kept of a step into the model."""
    put_weights(model, load_file(best_file(folder, step)))
