"""Verb `speed`: tokens a second of this trainer against a plain TRL script, on the same rows, batch size and threads.

Both run in turns in this one process, so that whatever else the machine does falls on both, round after round, each with a
seed of its own, until the time is spent. The peer is tuned by what its settings offer (the machine's best number type, no
gradient checkpointing); as TRL's defaults have it, it comes only where the processor multiplies bf16 natively: elsewhere
one batch takes minutes.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from transformers import AutoConfig, AutoTokenizer, Trainer, TrainerCallback, set_seed
from trl import SFTConfig, SFTTrainer

from . import attention
from .events import Emit
from .lora import ALL_PROJECTIONS, add_lora, use_fast_forward
from .method import Kit
from .methods import sft
from .model import load_model, training_dtype, use_threads
from .order import training_order
from .rows import Row
from .settings import Settings
from .trainer_arguments import training_arguments


@dataclass(frozen=True)
class Request:
    """The folders of the base and of a dataset with validation rows, and the settings that each contender trains with.

    Units: after `seconds` no round is begun; the first always is, and there are at most `rounds`.
    """

    base: Path
    dataset: Path
    config: Settings
    rounds: int = 3
    seconds: float = 300.0
    threads: int | None = None


class Stopwatch(TrainerCallback):
    """Measures the training loop alone, without loading and setting up, and counts its steps.

    Units: `cpu_seconds` are those of this process's threads, which other work on the machine changes little.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    steps: int = 0

    def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
        self.seconds, self.cpu_seconds = -time.monotonic(), -time.process_time()

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        self.steps += 1

    def on_train_end(self, *args: Any, **kwargs: Any) -> None:
        self.seconds += time.monotonic()
        self.cpu_seconds += time.process_time()


def run(request: Request, emit: Emit) -> dict[str, object]:
    """Returns the best round of each contender, its steps, and the loss on the validation rows that each round leaves.

    Rows beyond whole batches are left out: TRL would make a step of those of each epoch, and we one of those of all epochs.
    Units: tokens (padding not counted) a second, by the clock and by the processor, and in a round; `paddedTokens` are those that the unpacked batches compute
    in the first round; losses in nats a token. A contender that does not come is in none of them. Raises: as `load_rows`.
    """
    started = time.monotonic()
    use_threads(request.threads)
    config = request.config
    vocabulary = AutoConfig.from_pretrained(request.base).vocab_size
    rows, held_out = (sft.read_rows(request.dataset, part, config, vocabulary) for part in ("train", "validation"))
    rows = rows[: len(rows) // config.batch_size * config.batch_size]
    tokens = round(sum(row.tokens for row in rows) * config.epochs)
    has_bf16 = training_dtype() is torch.bfloat16
    names = ["ours", "tuned", "packed", *(["defaults"] if has_bf16 else [])]
    best: dict[str, float] = dict.fromkeys(names, 0.0)
    best_of_cpu = dict(best)
    steps: dict[str, int] = {}
    losses: dict[str, list[float]] = {name: [] for name in names}
    done = 0
    while done < request.rounds and (done == 0 or time.monotonic() - started < request.seconds):
        settings = replace(config, seed=config.seed + done)
        for name in names:
            emit("progress", stage=f"round {done + 1}: {name}")
            watch = Stopwatch()
            with tempfile.TemporaryDirectory() as folder:
                trainer = contender(name, request.base, rows, settings, Path(folder))
                trainer.add_callback(watch)
                trainer.train()
            best[name] = max(best[name], round(tokens / watch.seconds, 1))
            best_of_cpu[name] = max(best_of_cpu[name], round(tokens / watch.cpu_seconds, 1))
            steps[name] = watch.steps
            trainer.model.eval()
            losses[name].append(round(sft.validate(trainer.model, held_out, settings)["loss"], 4))
        done += 1
    return {
        "tokensPerSecond": best,
        "tokensPerCpuSecond": best_of_cpu,
        "steps": steps,
        "losses": losses,
        "rounds": done,
        "rows": len(rows),
        "validationRows": len(held_out),
        "tokens": tokens,
        "paddedTokens": padded_tokens(rows, config),
    }


def padded_tokens(rows: list[Row], config: Settings) -> int:
    """Returns how many tokens our unpacked batches compute for these rows."""
    order = order_of(rows, config)
    batches = [order[at : at + config.batch_size] for at in range(0, len(order), config.batch_size)]
    return sum(len(batch) * max(rows[index].tokens for index in batch) for batch in batches)


def order_of(rows: list[Row], config: Settings) -> list[int]:
    """Returns the rows of all epochs as this trainer lays them out."""
    return training_order([row.tokens for row in rows], config.batch_size, config.epochs, config.seed)


def contender(name: str, base: Path, rows: list[Row], config: Settings, folder: Path) -> Trainer:
    """Sets one contender up: `ours`, the same `packed`, or the plain script with TRL's `defaults` or `tuned`."""
    if name in ("ours", "packed"):
        return our_trainer(base, rows, replace(config, packing=name == "packed"), folder)
    is_tuned = name == "tuned"
    return SFTTrainer(
        model=str(base),
        args=SFTConfig(
            output_dir=str(folder),
            per_device_train_batch_size=config.batch_size,
            num_train_epochs=config.epochs,
            learning_rate=config.learning_rate,
            warmup_steps=config.warmup_steps,
            seed=config.seed,
            use_cpu=True,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
            **({"bf16": False, "gradient_checkpointing": False} if is_tuned else {}),
            **({"model_init_kwargs": {"dtype": training_dtype()}} if is_tuned else {}),
        ),
        train_dataset=sft.as_dataset(rows),
        processing_class=AutoTokenizer.from_pretrained(base),
        peft_config=LoraConfig(
            r=config.rank,
            lora_alpha=config.alpha,
            lora_dropout=config.dropout,
            target_modules=ALL_PROJECTIONS,
            task_type="CAUSAL_LM",
        ),
    )


def our_trainer(base: Path, rows: list[Row], config: Settings, folder: Path) -> Trainer:
    """Sets this package's own training up, as verb `train` does, without reports and checkpoints."""
    set_seed(config.seed)
    adapted = add_lora(load_model(base, training_dtype(), attention.NAME), config.rank, config.alpha, config.dropout)
    use_fast_forward(adapted)
    return sft.make_trainer(
        Kit(
            model=adapted,
            tokenizer=AutoTokenizer.from_pretrained(base),
            sequence=[rows[index] for index in order_of(rows, config)],
            settings=config,
            arguments=training_arguments(config, folder),
            callbacks=[],
            saw=lambda loss, figures, share=1.0, own=None: None,
        )
    )
