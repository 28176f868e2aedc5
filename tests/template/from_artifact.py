"""`python -I -S from_artifact.py FUNCTION LAYER`: one event to a built handler.

It is started without the environment's packages, so there is nothing to import but what was built. The event comes on
standard input. The last line of output is the answer, with the calls of AWS that were made for it.
"""

import importlib
import json
import sys
import sysconfig

standard = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
function, layer = sys.argv[1:]
sys.path[:] = [function, f"{layer}/python", *(path for path in sys.path if path.startswith(standard))]

calls: set[str] = set()
boto3 = importlib.import_module("boto3")
boto3.setup_default_session()
boto3.DEFAULT_SESSION.events.register(
    "before-call", lambda model, **_: calls.add(f"{model.service_model.signing_name}:{model.name}")
)
answer = importlib.import_module("handler").handler(json.load(sys.stdin), None)
origins = {str(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
built = (function, layer, *standard, __file__)
strangers = sorted(origin for origin in origins if not origin.startswith(built))
sys.stdout.write(f"\n{json.dumps({'answer': answer, 'strangers': strangers, 'calls': sorted(calls)})}\n")
