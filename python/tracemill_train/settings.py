"""The settings of a training, as an adapter's manifest keeps them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """How an adapter is trained. Only `rank` to `seed` are always said; the others have the value of the simplest training.

    Units: learning rate at its peak (linear to 0 after the warm-up), batch size in rows a step, micro batch size in rows
    that are in memory together (null: the whole batch), warm-up and `validate_every` in steps (null: an epoch), `max_kl` in nats a token. `good_weight` and
    `bad_weight` multiply the losses of judged rows; they are the dataset's, which keeps them.
    """

    rank: int
    alpha: float
    dropout: float
    learning_rate: float
    epochs: float
    batch_size: int
    warmup_steps: int
    max_tokens: int
    seed: int
    trains: str = "lora"
    quantization: str = "none"
    micro_batch_size: int | None = None
    packing: bool = False
    optimizer: str = "adamw"
    max_grad_norm: float = 1.0
    adam_beta2: float = 0.999
    gradient_checkpointing: bool = False
    beta: float = 0.1
    validate_every: int | None = None
    patience: int | None = None
    max_kl: float | None = None
    too_long: str = "refuse"
    rehearsal_fraction: float = 0.0
    good_weight: float = 1.0
    bad_weight: float = 1.0

    @property
    def rows_at_once(self) -> int:
        """Number of rows that are in memory together."""
        return self.micro_batch_size or self.batch_size
