"""The trained weights at the validation with the lowest loss, kept beside the checkpoints until the training ends."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

FILE = "best.safetensors"


@dataclass(frozen=True)
class Best:
    """The step of the lowest validation loss, that loss, and how many validations have come since."""

    step: int
    loss: float
    validations_since: int


def keep_best(model: torch.nn.Module, folder: Path) -> None:
    """Writes the weights that are trained; the file is there whole or as it was."""
    trained = {name: weight.detach().contiguous() for name, weight in model.named_parameters() if weight.requires_grad}
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{FILE}.tmp"
    save_file(trained, temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(folder / FILE)


def take_best(model: torch.nn.Module, folder: Path) -> None:
    """Puts the kept weights into the model."""
    weights = dict(model.named_parameters())
    with torch.no_grad():
        for name, kept in load_file(folder / FILE).items():
            weights[name].copy_(kept)
