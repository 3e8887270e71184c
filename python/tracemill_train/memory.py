"""How much memory a training holds: of this process, and of the GPUs that it uses."""

from __future__ import annotations

import platform

import psutil
import torch


def held_bytes() -> int:
    """What is held now: on all GPUs where there are some, else by this process."""
    if torch.cuda.is_available():
        return sum(torch.cuda.memory_reserved(gpu) for gpu in range(torch.cuda.device_count()))
    return psutil.Process().memory_info().rss


def peak_bytes() -> int:
    """The most memory this process has held so far (on Windows: what it holds now)."""
    try:
        import resource
    except ImportError:
        return psutil.Process().memory_info().rss
    units = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * units
