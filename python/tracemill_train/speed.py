"""Verb `speed`: tokens a second of this trainer against a plain TRL script, on the same rows, batch size and threads.

Both run in turns in this one process, so that whatever else the machine does falls on both, round after round until the
time is spent. The peer is tuned by what its settings offer (the machine's best number type, no gradient checkpointing);
as TRL's defaults have it, it comes only where the processor multiplies bf16 natively: elsewhere one batch takes minutes.
"""

from __future__ import annotations

import random
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
from .model import load_model, training_dtype, use_threads
from .order import training_order
from .method import Kit
from .methods import sft
from .rows import IGNORED, Row
from .settings import Settings
from .trainer_arguments import training_arguments

CONFIG = Settings(
    rank=16,
    alpha=32,
    dropout=0.0,
    learning_rate=4e-4,
    epochs=1,
    batch_size=4,
    warmup_steps=0,
    max_tokens=1024,
    seed=1,
)
PROMPT_TOKENS, ANSWER_TOKENS = (90, 140), (10, 30)


@dataclass(frozen=True)
class Request:
    """The base's folder, the number of rows that each contender trains on in a round, and the rounds.

    Units: after `seconds` no round is begun; the first always is, and there are at most `rounds`.
    """

    base: Path
    rows: int = 8
    rounds: int = 3
    seconds: float = 300.0
    threads: int | None = None


class Stopwatch(TrainerCallback):
    """Measures the training loop alone, without loading and setting up."""

    seconds: float = 0.0

    def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
        self.seconds = -time.monotonic()

    def on_train_end(self, *args: Any, **kwargs: Any) -> None:
        self.seconds += time.monotonic()


def run(request: Request, emit: Emit) -> dict[str, object]:
    """Returns the best round of each contender, and the loss that each leaves on rows of the same kind.

    Units: tokens (padding not counted) a second; `paddedTokens` are those that the unpacked batches compute; loss in nats a
    token. A contender that does not come has null.
    """
    started = time.monotonic()
    use_threads(request.threads)
    vocabulary = AutoConfig.from_pretrained(request.base).vocab_size
    rows = made_up_rows(request.rows, vocabulary)
    others = made_up_rows(max(1, request.rows // 2), vocabulary, seed=2)
    tokens = sum(len(row.ids) for row in rows)
    has_bf16 = training_dtype() is torch.bfloat16
    names = ["ours", "tuned", "packed", *(["defaults"] if has_bf16 else [])]
    best: dict[str, float | None] = {"defaults": None}
    losses: dict[str, float | None] = {"defaults": None}
    done = 0
    while done < request.rounds and (done == 0 or time.monotonic() - started < request.seconds):
        for name in names:
            emit("progress", stage=f"round {done + 1}: {name}")
            watch = Stopwatch()
            with tempfile.TemporaryDirectory() as folder:
                trainer = contender(name, request.base, rows, Path(folder), watch)
                trainer.train()
            best[name] = max(best.get(name) or 0.0, round(tokens / watch.seconds, 1))
            if done == 0:  # the seed is the same in each round, and so is the loss
                trainer.model.eval()
                losses[name] = round(sft.validate(trainer.model, others, CONFIG)["loss"], 4)
        done += 1
    return {
        "tokensPerSecond": best,
        "rounds": done,
        "tokens": tokens,
        "paddedTokens": padded_tokens(rows),
        "losses": losses,
        "threads": torch.get_num_threads(),
    }


def padded_tokens(rows: list[Row]) -> int:
    """Returns how many tokens our unpacked batches compute for these rows."""
    order = training_order([row.tokens for row in rows], CONFIG.batch_size, CONFIG.epochs, CONFIG.seed)
    batches = [order[at : at + CONFIG.batch_size] for at in range(0, len(order), CONFIG.batch_size)]
    return sum(len(batch) * max(rows[index].tokens for index in batch) for batch in batches)


def contender(name: str, base: Path, rows: list[Row], folder: Path, watch: Stopwatch) -> Trainer:
    """Sets one contender up: `ours`, the same `packed`, or the plain script with TRL's `defaults` or `tuned`."""
    if name in ("ours", "packed"):
        return our_trainer(base, rows, folder, watch, packing=name == "packed")
    is_tuned = name == "tuned"
    return SFTTrainer(
        model=str(base),
        args=SFTConfig(
            output_dir=str(folder),
            per_device_train_batch_size=CONFIG.batch_size,
            num_train_epochs=1,
            learning_rate=CONFIG.learning_rate,
            warmup_steps=CONFIG.warmup_steps,
            seed=CONFIG.seed,
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
            r=CONFIG.rank, lora_alpha=CONFIG.alpha, target_modules=ALL_PROJECTIONS, task_type="CAUSAL_LM"
        ),
        callbacks=[watch],
    )


def our_trainer(base: Path, rows: list[Row], folder: Path, watch: Stopwatch, *, packing: bool) -> Trainer:
    """Sets this package's own training up, as verb `train` does, without reports and checkpoints."""
    set_seed(CONFIG.seed)
    adapted = add_lora(
        load_model(base, training_dtype(), attention.NAME), CONFIG.rank, CONFIG.alpha, CONFIG.dropout
    )
    use_fast_forward(adapted)
    order = training_order([row.tokens for row in rows], CONFIG.batch_size, CONFIG.epochs, CONFIG.seed)
    return sft.make_trainer(
        Kit(
            model=adapted,
            tokenizer=AutoTokenizer.from_pretrained(base),
            sequence=[rows[index] for index in order],
            settings=replace(CONFIG, packing=packing),
            arguments=training_arguments(CONFIG, folder),
            callbacks=[watch],
            saw=lambda loss, figures, share=1.0: None,
        )
    )


def made_up_rows(count: int, vocabulary: int, seed: int = 1) -> list[Row]:
    """Rows of random ids with the lengths of short text-to-SQL conversations."""
    drawer = random.Random(seed)
    rows = []
    for index in range(count):
        prompt, answer = drawer.randint(*PROMPT_TOKENS), drawer.randint(*ANSWER_TOKENS)
        ids = [drawer.randrange(3, vocabulary) for _ in range(prompt + answer)]
        rows.append(Row(f"row-{index}", ids, [IGNORED] * prompt + ids[prompt:]))
    return rows
