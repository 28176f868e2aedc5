"""`alm run` with a function that never answers: `python -m tests.e2e.stalled run …`.

As a module of the stack it is that function: STALL says how it is stuck, STALLED_FILE is written when it is.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# A regular expression holds the interpreter: no thread and no signal handler of Python runs meanwhile.
ENDLESS = (re.compile("(a*)*b"), "a" * 60)


def handler(event: Any, context: object) -> None:
    """Get stuck."""
    del event, context
    if os.environ["STALL"] == "deaf":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "600"]) if os.environ["STALL"] == "parent" else None
    Path(os.environ["STALLED_FILE"]).write_text(str(child.pid if child else os.getpid()))
    if os.environ["STALL"] == "asleep":
        time.sleep(600)
    pattern, text = ENDLESS
    pattern.match(text)


def main() -> None:
    """The command, with this module in the poll's place."""
    from alm import cli  # noqa: PLC0415  # the function has no use for it
    from alm.function import LocalFunction  # noqa: PLC0415
    from alm.stack import Stack  # noqa: PLC0415

    told = {name: os.environ[name] for name in ("STALL", "STALLED_FILE", "PYTHONPATH")}
    as_it_is = Stack._function  # noqa: SLF001  # where the stack chooses what it starts

    def stalled(stack: Stack, name: str, environment: Mapping[str, str]) -> LocalFunction:
        made = as_it_is(stack, name, environment)
        if name == "poll_jira":
            return LocalFunction("tests.e2e.stalled", {**made.environment, **told}, made.log)
        return made

    Stack._function = stalled  # type: ignore[method-assign, assignment]  # noqa: SLF001
    sys.exit(cli.main())


if __name__ == "__main__":
    main()
