"""One model over several processes, each with a part of every block (FSDP 2): faster than blocks in a row.

The blocks alone are divided. Embedding, final norm and head are whole on each GPU, as they would be for the length of
a step anyway. The text stack is the root: it is what every loss, validation and measure here calls, so that a block's
parts are gathered whoever asks. Nothing is cast, as packed 4-bit weights are no numbers.
A process's gradient is the mean over all of them, so a loss is to be multiplied by their number where it is a sum's share.
Source: the documentation of `torch.distributed.fsdp.fully_shard`; SkyRL issue 1968 (the cast).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping

import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.utils._pytree import tree_map

from .launch import is_first, process_count
from .model import text_model

OPTIMIZER_FILE = "optimizer.pt"
SCHEDULER_FILE = "scheduler.pt"


def shard(model: PeftModel) -> None:
    """Divides each block, with its LoRA, among the processes. All have to hold the same model before."""
    causal = model.get_base_model()
    text = text_model(causal)
    in_blocks = {id(weight) for weight in text.layers.parameters()}
    ends = {weight for weight in causal.parameters() if id(weight) not in in_blocks}
    assert not any(weight.requires_grad for weight in ends), "what is not divided has no gradient to share"
    device = torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")
    mesh = init_device_mesh(device.type, (process_count(),))
    for block in text.layers:
        block.to(device)  # by the block itself: 4-bit layers take their scales along
        fully_shard(block, mesh=mesh)
    for tensor in (*ends, *causal.buffers()):
        tensor.data = tensor.data.to(device)
    fully_shard(text, mesh=mesh, ignored_params=ends)
    model.is_distributed_loading_by_transformers = True  # so the trainer neither wraps nor moves it
    if hasattr(causal, "hf_device_map"):
        del causal.hf_device_map  # where it was loaded, not where it is


def whole(value: Any) -> Any:
    """Returns a divided tensor as a whole one in main memory, and all else as it is. All processes have to ask."""
    return value.full_tensor().detach().cpu() if isinstance(value, DTensor) else value


def trained_weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Returns the weights that are trained, whole and in main memory, by name. All processes have to ask."""
    trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    return {name: whole(weight).detach().cpu().contiguous() for name, weight in trained.items()}


def put_weights(model: torch.nn.Module, values: Mapping[str, torch.Tensor]) -> None:
    """Gives weights the whole values of that name, of which a divided one takes its part."""
    weights = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in values.items():
            weights[name].copy_(_divided_as(weights[name], value))


def save_adapter(model: PeftModel, folder: str | Path) -> None:
    """Writes a divided LoRA in PEFT's form. All processes have to ask; the first one writes."""
    weights = trained_weights(model)
    if is_first():
        model.save_pretrained(folder, state_dict=weights, safe_serialization=True)


def _divided_as(weight: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    value = value.to(weight.device, weight.dtype)
    return distribute_tensor(value, weight.device_mesh, weight.placements) if isinstance(weight, DTensor) else value


class Divided:
    """Stands before a trainer whose model is divided: its checkpoints are those of a single process, so either goes on
    from the other's."""

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Writes the adapter's files."""
        trainer: Any = self
        save_adapter(trainer.model, output_dir or trainer.args.output_dir)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        trainer: Any = self
        state = tree_map(whole, trainer.optimizer.state_dict())
        if is_first():
            torch.save(state, Path(output_dir) / OPTIMIZER_FILE)
            torch.save(trainer.lr_scheduler.state_dict(), Path(output_dir) / SCHEDULER_FILE)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        trainer: Any = self
        saved = load_file(Path(resume_from_checkpoint) / "adapter_model.safetensors")
        put_weights(trainer.model, {name.replace(".weight", ".default.weight"): value for name, value in saved.items()})

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        trainer: Any = self
        if checkpoint is None:
            return
        state = torch.load(Path(checkpoint) / OPTIMIZER_FILE, map_location="cpu", weights_only=True)
        weights = [weight for group in trainer.optimizer.param_groups for weight in group["params"]]
        for at, moments in state["state"].items():
            for name, value in moments.items():
                if value.shape == weights[at].shape:  # a moment; the number of steps stays as it is
                    moments[name] = _divided_as(weights[at], value)
        trainer.optimizer.load_state_dict(state)
        trainer.lr_scheduler.load_state_dict(torch.load(Path(checkpoint) / SCHEDULER_FILE, weights_only=True))
