"""Importing any module of ours does nothing: no connection, no process, no file, no thread."""

import subprocess
import sys

from alm.environment import ROOT

SOURCE_FOLDERS = (ROOT / "layers" / "core", ROOT / "functions", ROOT / "infra" / "local")
# Urllib3 binds a socket of its own when it is imported, to see whether there is IPv6: that stays on this machine.
IMPORT_ALL = """
import importlib, os, sys, threading

def refuse(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.mkdir", "os.putenv"}:
        raise AssertionError(f"{event} {arguments} at import")
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        raise AssertionError(f"writes {arguments[0]} at import")

sys.addaudithook(refuse)
for name in sys.argv[1:]:
    importlib.import_module(name)
    assert not os.environ.keys() - {"LC_CTYPE"}, f"{name} changes the environment"
    assert threading.active_count() == 1, f"{name} starts a thread"
"""


def test_importing_anything_has_no_effects() -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-c", IMPORT_ALL, *modules()],
        env={},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def modules() -> list[str]:
    """Every module of ours by its dotted name."""
    named = (path.relative_to(folder) for folder in SOURCE_FOLDERS for path in folder.rglob("*.py"))
    return sorted({".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in named})
