"""Events for the parent process: one JSON object a line on the real stdout.

`claim_stdout` moves file descriptor 1 to stderr, so that whatever a library prints can never break the protocol.
"""

from __future__ import annotations

import json
import os
import sys
from typing import IO, Callable

Emit = Callable[..., None]
"""Called as `emit(type, **fields)`; the fields must be JSON values without NaN or infinity."""


_claimed: list[IO[str]] = []


def give_back_stdout() -> None:
    """Puts the real stdout back in its place, for a program that replaces this one and claims it anew."""
    for stream in _claimed:
        stream.flush()
        os.dup2(stream.fileno(), 1)


def claim_stdout() -> Emit:
    """Returns the emitter that owns the process's stdout; everything else that prints goes to stderr."""
    sys.stdout.flush()
    stream: IO[str] = os.fdopen(os.dup(1), "w", encoding="utf-8")
    _claimed.append(stream)
    os.dup2(2, 1)

    def emit(type: str, **fields: object) -> None:
        if os.environ.get("RANK", "0") != "0":
            return  # of several processes that train together, the first speaks
        stream.write(json.dumps({"type": type, **fields}, allow_nan=False) + "\n")
        stream.flush()

    return emit
