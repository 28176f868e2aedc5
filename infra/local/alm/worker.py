"""run_job as a task of its own: forked from a server that has loaded the code already, one job, then gone."""

import os
import signal
import sys
from collections.abc import Mapping
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from threading import Thread

# Imported for the fork server's sake: what is loaded once is there in every worker.
import boto3  # noqa: F401

import run_job.__main__
from orchestrator.adapters import (  # noqa: F401
    action_files,
    git_cli,
    heartbeat,
    powertools_log,
    s3,
    secrets_manager,
    sqs,
    track_client,
)
from orchestrator.adapters.agent import claude_code  # noqa: F401
from orchestrator.adapters.gateway import anthropic  # noqa: F401
from orchestrator.adapters.wall import bubblewrap, without_namespaces  # noqa: F401


def work_on_one_job(environment: Mapping[str, str], output: "Connection[bytes, bytes]") -> None:
    """Wait for a job and run it, with this environment and no other; what it prints goes to `output`."""
    os.setsid()
    # Until it listens for it there is nothing to end, and nobody wants to see where it was.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for standard in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(output.fileno(), standard)
    output.close()
    os.environ.clear()
    os.environ.update(environment)
    Thread(target=_leave_with_parent, name="tether", daemon=True).start()
    run_job.__main__.main(["--standby"])


def _leave_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
