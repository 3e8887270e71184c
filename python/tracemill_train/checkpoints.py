"""Checkpoints that a SIGKILL cannot spoil: a folder counts only once its marker, written last, is there."""

from __future__ import annotations

import shutil
from pathlib import Path

MARKER = "complete"


def mark_complete(checkpoint: Path) -> None:
    """Declares that everything in the folder has been written."""
    (checkpoint / MARKER).touch()


def latest_checkpoint(folder: Path) -> Path | None:
    """Returns the newest complete `checkpoint-N` and removes the torn ones."""
    complete: list[Path] = []
    for checkpoint in folder.glob("checkpoint-*"):
        if (checkpoint / MARKER).exists():
            complete.append(checkpoint)
        else:
            shutil.rmtree(checkpoint)
    return max(complete, key=lambda path: int(path.name.rsplit("-", 1)[1]), default=None)
