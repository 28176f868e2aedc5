"""`python -m alm.host MODULE`: keeps one function's handler loaded, as Lambda does, and feeds it events.

An event comes as a JSON line on standard input; what the handler returns, or its error, goes as a JSON line to the
descriptor ALM_ANSWER_FD. Standard output is the function's log.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any


def main() -> None:
    """Serve events until standard input ends."""
    load = _loader(sys.argv[1])
    with os.fdopen(int(os.environ.pop("ALM_ANSWER_FD")), "w") as answers:
        for line in sys.stdin:
            print(json.dumps(_invoke(load, json.loads(line))), file=answers, flush=True)


def _loader(module: str) -> Callable[[], Callable[[Any, Any], Any]]:
    return lambda: importlib.import_module(module).handler


def _invoke(load: Callable[[], Callable[[Any, Any], Any]], event: Any) -> dict[str, Any]:
    try:
        return {"result": load()(event, None)}
    except Exception as error:  # noqa: BLE001  # Lambda answers with the error too, whatever it is
        return {"error": type(error).__name__, "message": str(error)}


if __name__ == "__main__":
    main()
