"""Frozen weights in 4 bits (QLoRA): NF4 with double quantisation, by bitsandbytes. Computed in bf16 on a GPU; on a processor
that does not multiply it natively in float32, as bf16 is many times slower there.

Source: arXiv:2305.14314. The storage type is bf16 too, as FSDP shards only weights of one type.
"""

from __future__ import annotations

import importlib.util
import sys

import torch
from transformers import BitsAndBytesConfig, PreTrainedModel

from .installing import pip_line
from .refusal import Refusal


def nf4_config(dtype: torch.dtype) -> BitsAndBytesConfig:
    """Returns how transformers is to load a base in 4 bits and compute in `dtype`. Raises: `Refusal` NO_PACKAGES."""
    require_bitsandbytes("--quantize nf4")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        bnb_4bit_quant_storage=torch.bfloat16,
    )


def require_bitsandbytes(what: str) -> None:
    """Checks that bitsandbytes is installed, which the option `what` needs. Raises: `Refusal` NO_PACKAGES."""
    if importlib.util.find_spec("bitsandbytes") is None:
        raise Refusal(
            "NO_PACKAGES",
            f"{what} needs a Python package that is not installed.",
            got='no "bitsandbytes"',
            where=sys.executable,
            fix=pip_line("requirements.txt"),
        )


def keep_gradients(model: PreTrainedModel) -> None:
    """Keeps 4-bit layers on a CPU from repacking their weights in a forward without gradients, such as a validation's.

    The packed form has no backward, so that the steps after the first validation would train on nothing.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
