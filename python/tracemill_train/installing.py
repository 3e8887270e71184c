"""The line that installs what this interpreter lacks."""

from __future__ import annotations

import sys
from pathlib import Path

PACKAGE_FOLDER = Path(__file__).resolve().parents[2]


def setup_line(requirements: str, *options: str, folder: Path = PACKAGE_FOLDER) -> str:
    """Returns `make setup` in a checkout, else `pip_line`: the published package has no Makefile."""
    return "make setup" if (folder / "Makefile").exists() else pip_line(requirements, *options, folder=folder)


def pip_line(requirements: str, *options: str, folder: Path = PACKAGE_FOLDER) -> str:
    """Returns what installs a file of `python/` for this interpreter."""
    return " ".join([sys.executable, "-m pip install", *options, "-r", str(folder / "python" / requirements)])
