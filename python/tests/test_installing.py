"""What installs the trainer's packages."""

from __future__ import annotations

import sys
from pathlib import Path

from tracemill_train.installing import setup_line


def test_a_checkout_is_set_up_by_make(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("setup:\n")
    assert setup_line("requirements.txt", folder=tmp_path) == "make setup"
    assert setup_line("requirements.txt") == "make setup"


def test_the_published_package_is_set_up_by_pip(tmp_path: Path) -> None:
    line = setup_line("requirements-base.txt", "--no-deps", folder=tmp_path)
    assert line == f"{sys.executable} -m pip install --no-deps -r {tmp_path}/python/requirements-base.txt"
