"""`python -I -S from_artifact.py FUNCTION LAYER`: one event to a built handler.

It is started without the environment's packages, so there is nothing to import but what was built. The event comes on
standard input; the answer is the last line of output.
"""

import importlib
import json
import sys
import sysconfig

standard = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
function, layer = sys.argv[1:]
sys.path[:] = [function, f"{layer}/python", *(path for path in sys.path if path.startswith(standard))]

answer = importlib.import_module("handler").handler(json.load(sys.stdin), None)
origins = {str(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
built = (function, layer, *standard, __file__)
strangers = sorted(origin for origin in origins if not origin.startswith(built))
sys.stdout.write(f"\n{json.dumps({'answer': answer, 'strangers': strangers})}\n")
