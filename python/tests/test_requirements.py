"""The pins against the oldest Python that is said to do: the one that `scripts/preflight.sh` and the project file ask for."""

import importlib.metadata
import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

PYTHON = Path(__file__).resolve().parents[1]
OLDEST = "3.10"


def pins() -> list[Requirement]:
    lines = (PYTHON / "requirements.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_preflight_and_project_ask_for_the_same_oldest_python():
    preflight = (PYTHON.parent / "scripts" / "preflight.sh").read_text()
    assert set(re.findall(r"Python (\d+\.\d+) or newer", preflight)) == {OLDEST}
    assert re.search(r'requires-python = ">=(.+)"', (PYTHON / "pyproject.toml").read_text())[1] == OLDEST


def test_every_library_has_one_pin_for_each_python():
    for version in [OLDEST, "3.11", "3.13"]:
        environment = {"python_version": version}
        names = [pin.name for pin in pins() if pin.marker is None or pin.marker.evaluate(environment)]
        assert sorted(names) == sorted({pin.name for pin in pins()})


def test_pins_for_every_python_run_on_the_oldest():
    for pin in pins():
        if pin.marker is None:
            asked = importlib.metadata.metadata(pin.name)["Requires-Python"]
            assert SpecifierSet(asked).contains(f"{OLDEST}.0"), f"{pin} asks for Python {asked}"
