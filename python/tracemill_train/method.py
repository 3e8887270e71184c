"""What a training method is: a module of `methods/` with these functions, found by its name.

A method knows its rows, its loss and the TRL trainer behind it. Loading the base, the order of the rows, checkpoints,
reports and the files of an adapter are the same for all.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Sequence, cast

from peft import PeftModel
from transformers import PreTrainedTokenizerBase, Trainer, TrainerCallback

from .refusal import Refusal
from .settings import Settings

METHODS = Path(__file__).parent / "methods"


@dataclass(frozen=True)
class Own:
    """Of the dataset's own rows, where general ones are mixed in: the mean loss, and of how many tokens (0: there are none)."""

    loss: float
    tokens: float


class Saw(Protocol):
    """Takes a mean loss, figures by name, the share of a step that they are of, and what of it is the dataset's own rows'."""

    def __call__(self, loss: float, figures: dict[str, float], share: float = 1.0, own: Own | None = None) -> None: ...


class Row(Protocol):
    """One row of a dataset. `tokens` is what a step computes for it, `trained_tokens` how many of them have a loss."""

    @property
    def row_id(self) -> str: ...

    @property
    def tokens(self) -> int: ...

    @property
    def trained_tokens(self) -> int: ...

    @property
    def probe_ids(self) -> list[int]: ...

    @property
    def prompt_ids(self) -> list[int]: ...


@dataclass(frozen=True)
class Kit:
    """What a method makes its trainer of. `sequence` is every row in the order of training, as often as it comes.

    `saw` is to be told each micro-batch's mean loss, the method's own figures by name, and its share of the step.
    """

    model: PeftModel
    tokenizer: PreTrainedTokenizerBase
    sequence: Sequence[Any]
    settings: Settings
    arguments: dict[str, Any]
    callbacks: list[TrainerCallback]
    saw: Saw


class Method(Protocol):
    """The functions of a module of `methods/`."""

    def read_rows(self, dataset: Path, part: str, settings: Settings, vocabulary: int) -> list[Any]:
        """Reads the rows of a part (`train`, `validation`) of a dataset folder. Raises: `Refusal` naming the row."""

    def prepare(self, model: PeftModel, rows: Sequence[Any], settings: Settings) -> list[Any]:
        """Returns rows, in the order in which they are batched, with what the untrained model says of them."""

    def make_trainer(self, kit: Kit) -> Trainer:
        """Returns TRL's trainer over the kit's rows, in their order, set up with `kit.arguments`."""

    def validate(self, model: PeftModel, rows: Sequence[Any], settings: Settings) -> dict[str, float]:
        """Returns `loss` (mean over all rows) and the method's own figures on rows that are not trained on."""


def load_method(name: str) -> Method:
    """Finds a method by its name. Raises: `Refusal` UNKNOWN_METHOD."""
    known = sorted(path.stem for path in METHODS.glob("*.py") if path.stem != "__init__")
    if name not in known:
        raise Refusal("UNKNOWN_METHOD", f'There is no method "{name}".', expected=", ".join(known), got=name)
    return cast(Method, importlib.import_module(f".methods.{name}", __package__))
