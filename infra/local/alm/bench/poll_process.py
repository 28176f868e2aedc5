"""`python -m alm.bench.poll_process`: one poll as the deployed function does it; its last line says what it took.

A process of its own that imports nothing but the function, so that the memory is the function's.
"""

import json
import os
import time

from alm.bench.memory import peak_mb
from poll_jira.handler import handler


def main() -> None:
    """Poll once."""
    started = time.monotonic()
    report = handler({}, None)
    seconds = time.monotonic() - started
    print(json.dumps({**report, "seconds": seconds, "peak_mb": peak_mb(os.getpid())}), flush=True)


if __name__ == "__main__":
    main()
