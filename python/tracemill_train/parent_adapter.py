"""Starts a LoRA from the weights of a trained one instead of from nothing."""

from __future__ import annotations

import json
from pathlib import Path

from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file

from .refusal import Refusal


def load_parent(model: PeftModel, folder: Path) -> None:
    """Gives the model's LoRA the weights of the adapter in `folder`, which is left as it is.

    Raises: `Refusal` PARENT_OF_ANOTHER_SHAPE where its scale, modules or rank are others than the LoRA's.
    """
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    weights = load_file(folder / "adapter_model.safetensors")
    wanted = {name: tuple(values.shape) for name, values in get_peft_model_state_dict(model).items()}
    found = {name: tuple(values.shape) for name, values in weights.items()}
    own = model.peft_config["default"]
    scales = [(config["r"], config["lora_alpha"]), (own.r, own.lora_alpha)]
    if wanted == found and scales[0] == scales[1]:
        set_peft_model_state_dict(model, weights)
        return
    differing = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
    raise Refusal(
        "PARENT_OF_ANOTHER_SHAPE",
        "The adapter to go on from is no LoRA of the same modules, rank and alpha as the one to be trained.",
        expected=f"rank {scales[1][0]}, alpha {scales[1][1]:g}",
        got=f"rank {scales[0][0]}, alpha {scales[0][1]:g}" + (f"; {differing[0]} differs" if differing else ""),
        where=str(folder),
        fix=f"--rank {scales[0][0]} --alpha {scales[0][1]:g}, or another adapter",
    )
