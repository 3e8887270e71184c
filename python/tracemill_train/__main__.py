"""Command line: `python -m tracemill_train VERB --request FILE`.

Exit codes: 0 finished, 1 a bug (traceback on stderr), 2 a refusal (told as a `refused` event), 130 interrupted.
"""

from __future__ import annotations

from . import offline  # noqa: F401  (first: sets the environment that the libraries read at import)

import argparse
import importlib
import sys
from pathlib import Path
from types import ModuleType

from .events import claim_stdout
from .installing import setup_line
from .parent import end_with_parent
from .refusal import Refusal
from .request import parse, read_json

VERBS: dict[str, str] = {
    "base": "base",
    "gguf": "hf_gguf",
    "train": "train",
    "merge": "merge",
    "train-unsloth": "backends.unsloth",
    "finish": "finish",
    "logprobs": "logprobs",
    "answers": "answers",
    "speed": "speed",
    "tiny-base": "tiny_base",
    "tiny-adapter": "tiny_adapter",
}
"""Verb -> module of this package with `Request` (a dataclass) and `run(request, emit) -> dict`."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="tracemill_train", description=__doc__)
    parser.add_argument("verb", choices=sorted(VERBS))
    parser.add_argument("--request", type=Path, required=True, help="JSON file with the verb's request")
    arguments = parser.parse_args()
    end_with_parent()
    emit = claim_stdout()
    try:
        document = read_json(arguments.request)
        emit("progress", stage="loading the libraries")
        module = load(VERBS[arguments.verb])
        emit("finished", **module.run(parse(module.Request, document), emit))
        return 0
    except Refusal as refusal:
        emit("refused", **refusal.details)
        return 2
    except KeyboardInterrupt:
        return 130


def load(name: str) -> ModuleType:
    """Imports a module of this package. Raises: `Refusal` NO_PACKAGES where one that it needs is not installed."""
    try:
        return importlib.import_module(f".{name}", __package__)
    except ModuleNotFoundError as error:
        raise Refusal(
            "NO_PACKAGES",
            "A Python package that the trainer needs is not installed.",
            got=f'no "{error.name}"',
            where=sys.executable,
            fix=setup_line("requirements.txt"),
        ) from error


if __name__ == "__main__":
    sys.exit(main())
