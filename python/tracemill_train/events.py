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


def claim_stdout() -> Emit:
    """Returns the emitter that owns the process's stdout; everything else that prints goes to stderr."""
    sys.stdout.flush()
    stream: IO[str] = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def emit(type: str, **fields: object) -> None:
        stream.write(json.dumps({"type": type, **fields}, allow_nan=False) + "\n")
        stream.flush()

    return emit
