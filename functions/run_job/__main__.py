"""A worker task: receive one message, run its job, end. `--standby` waits for a message however long it takes.

Exit status 78 says that it cannot work here until somebody has mended its configuration; no message was taken then.
"""

import signal
import sys

from orchestrator import bootstrap
from orchestrator.domain.agent import Stop

WAIT_S = 20  # the longest SQS waits


def main(arguments: list[str]) -> None:
    """Take one job. SIGINT, a person, ends it; SIGTERM, the machine goes away, gives it back to the queue."""
    work = bootstrap.task()
    signal.signal(signal.SIGINT, lambda *_: work.stop(Stop.CANCELLED))
    signal.signal(signal.SIGTERM, lambda *_: work.stop(Stop.INTERRUPTED))
    while not work.take_one(WAIT_S) and "--standby" in arguments:
        pass


if __name__ == "__main__":
    main(sys.argv[1:])
