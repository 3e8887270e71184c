"""The trainer: makes bases, trains LoRA adapters and writes them for llama.cpp.

Reached only as a subprocess, `python -m tracemill_train VERB --request FILE`: one JSON request in, one JSON event a
line out. It trains on the ids and masks that a dataset carries, so it knows no chat template, no skill and no store.
"""

__version__ = "0.1.0"
