"""Checkpoints that a SIGKILL cannot spoil: a folder counts only once its marker, written last, is there."""

from __future__ import annotations

import json
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
            shutil.rmtree(checkpoint, ignore_errors=True)  # another process may be at it
    return max(complete, key=lambda path: int(path.name.rsplit("-", 1)[1]), default=None)


def stopped_at(checkpoint: Path | None) -> int | None:
    """Returns the step of a checkpoint at which the training had come to its end before all rows; else None."""
    if checkpoint is None:
        return None
    state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    told = [entry for entry in state["log_history"] if "stopped_by" in entry]
    return state["global_step"] if told and told[-1]["stopped_by"] is not None else None
