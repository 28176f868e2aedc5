"""A worker task: receive one message, run its job, end. `--standby` waits for a message however long it takes.

Exit status 78 says that it cannot work here until somebody has mended its configuration; no message was taken then.
"""

import signal
import sys

from orchestrator import bootstrap

WAIT_S = 20  # the longest SQS waits


def main(arguments: list[str]) -> None:
    """Take one job; SIGTERM and SIGINT end its agent and let the ticket be told."""
    work = bootstrap.task()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: work.stop())
    while not work.take_one(WAIT_S) and "--standby" in arguments:
        pass


if __name__ == "__main__":
    main(sys.argv[1:])
