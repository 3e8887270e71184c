"""Ends this process when the one that started it is gone: a killed command leaves no training behind that would go on
beside its own resumption."""

from __future__ import annotations

import os
import threading
import time

LOOK_EVERY_S = 0.5


def end_with_parent() -> None:
    """Watches the parent from a thread; where it dies, this process ends as if it were killed."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
