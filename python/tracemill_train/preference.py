"""What the methods that learn from preferences have in common: log-probabilities of whole answers, by the model as it is
trained and as it was before, and TRL trainers that take our ids as they stand.

The reference that these methods hold to is the model before its first step: the bare base where the adapter is new, the
parent's adapter where one is gone on from. So it is asked once, before the training, and neither a second model nor a
second adapter is kept. Where a training goes on after a kill, it is asked again and says the same.
"""

from __future__ import annotations

import types
from typing import Any, Sequence

import torch
from datasets import Dataset
from peft import PeftModel
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from torch.utils.data import SequentialSampler
from transformers import PreTrainedModel
from trl.trainer.utils import FusedCausalLMOutput

from .loss import chunk_tokens, logits_of
from .method import Kit, Saw
from .model import text_config, text_model
from .rows import IGNORED, Conversation, collate
from .trainer_arguments import never_copied


def answer_logprobs(model: PreTrainedModel, input_ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Returns the natural log-probability (float32) of each labelled token, 0 where there is no label.

    `model` is the causal model itself (the one inside a PEFT wrapper). Logits are made for labelled tokens alone, and
    of at most `chunk_tokens` at once.
    Shapes: `input_ids` and `labels` (batch, tokens), padded on the right; the result (batch, tokens - 1).
    """
    input_ids, labels = (ids.to(model.get_input_embeddings().weight.device) for ids in (input_ids, labels))
    hidden = text_model(model)(input_ids=input_ids, use_cache=False).last_hidden_state[:, :-1]
    targets = labels[:, 1:]
    is_trained = targets != IGNORED
    chunk = chunk_tokens(text_config(model.config).vocab_size)
    chunks = zip(hidden[is_trained].split(chunk), targets[is_trained].split(chunk))
    parts = [checkpoint(_logprobs, model, states, wanted, use_reentrant=False) for states, wanted in chunks]
    return torch.zeros(targets.shape, dtype=torch.float32, device=hidden.device).masked_scatter(is_trained, torch.cat(parts))


def _logprobs(model: PreTrainedModel, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return -functional.cross_entropy(logits_of(model, hidden), targets, reduction="none")


def summed_logprobs(model: PeftModel, conversations: Sequence[Conversation], batch_size: int) -> list[float]:
    """Returns the summed log-probability (nats) of each conversation's labelled tokens, by the model without dropout."""
    order = sorted(range(len(conversations)), key=lambda at: len(conversations[at].ids))
    sums = [0.0] * len(conversations)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for start in range(0, len(order), batch_size):
            some = order[start : start + batch_size]
            batch = padded([conversations[at] for at in some])
            found = answer_logprobs(model.get_base_model(), batch["input_ids"], batch["labels"]).sum(dim=1)
            for at, value in zip(some, found.tolist()):
                sums[at] = value
    model.train(was_training)
    return sums


def padded(conversations: Sequence[Conversation]) -> dict[str, torch.Tensor]:
    """Returns `input_ids` and `labels`, padded on the right. Shapes: (conversations, longest one), int64."""
    return collate([{"input_ids": one.ids, "labels": one.labels} for one in conversations])


def as_inputs(conversations: Sequence[Conversation], prefix: str = "") -> dict[str, torch.Tensor]:
    """Returns conversations as TRL's collators give them: ids, attention mask and completion mask, named with `prefix`."""
    batch = padded(conversations)
    lengths = torch.tensor([[len(one.ids)] for one in conversations])
    return {
        f"{prefix}input_ids": batch["input_ids"],
        f"{prefix}attention_mask": (torch.arange(batch["input_ids"].shape[1]) < lengths).long(),
        f"{prefix}completion_mask": (batch["labels"] != IGNORED).long(),
    }


def places(rows: Sequence[Any]) -> Dataset:
    """Returns a dataset of the rows' places in order: the collator looks the rows up."""
    return Dataset.from_dict({"place": list(range(len(rows)))})


def trainer_settings(kit: Kit, config: type[Any], collator: Any, **own: Any) -> dict[str, Any]:
    """Returns what a TRL trainer of preferences is made with: `own` settings in its `config`, rows looked up by `collator`."""
    arguments = never_copied(
        config(
            **kit.arguments,
            beta=kit.settings.beta,
            max_length=None,
            disable_dropout=False,  # what the settings say holds
            remove_unused_columns=False,
            **own,
        )
    )
    return {
        "model": kit.model,
        "args": arguments,
        "data_collator": collator,
        "train_dataset": places(kit.sequence),
        "processing_class": kit.tokenizer,
        "callbacks": kit.callbacks,
    }


class TakesOurRows:
    """Stands before a TRL trainer of preferences: its rows are ready, in their order, and hold the reference's figures."""

    FIGURES: dict[str, str]
    """What TRL calls a step's figures -> what the curve calls them."""

    def take_over(self, saw: Saw) -> None:
        """To be called once the trainer is made: it forgets its own reference and its own way to log-probabilities."""
        trainer: Any = self
        trainer.saw = saw
        if "ref" in trainer.model.peft_config:
            trainer.model.delete_adapter("ref")
        trainer.precompute_ref_logps = True
        _score_answers_alone(trainer.model.get_base_model())

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        """TRL's loss of a micro-batch; `saw` is told it with what TRL found, which TRL then forgets."""
        trainer: Any = self
        loss: torch.Tensor = super().compute_loss(model, inputs)  # type: ignore[misc]
        metrics = trainer._metrics["train"]
        found = {ours: metrics[theirs][-1] for theirs, ours in self.FIGURES.items() if metrics.get(theirs)}
        metrics.clear()
        trainer.saw(float(loss.detach()), found, 1 / trainer.current_gradient_accumulation_steps)
        return loss

    def _prepare_dataset(self, dataset: Any, *args: Any) -> Any:
        return dataset

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)  # type: ignore[attr-defined]

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Writes none: an adapter's manifest is its card."""


def _score_answers_alone(model: PreTrainedModel) -> None:
    """Lets TRL's call for log-probabilities be answered by `answer_logprobs`.

    Its own way makes logits of every token where there is no Triton, and statistics that nobody here reads: those are 0.
    """
    plain = model.forward

    def forward(
        self: PreTrainedModel, *args: Any, fused_lm_head: bool = False, labels: torch.Tensor | None = None, **rest: Any
    ) -> Any:
        if not fused_lm_head or labels is None:
            return plain(*args, labels=labels, **rest)
        found = answer_logprobs(self, rest["input_ids"], labels)
        unread = torch.zeros_like(found)
        return FusedCausalLMOutput(
            log_probs=found, entropy=unread, mean_logits=unread, is_top1=torch.zeros_like(found, dtype=torch.bool)
        )

    model.forward = types.MethodType(forward, model)
