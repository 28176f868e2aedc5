"""`python -m alm.moto_process`: AWS for one machine. Prints its port, ends with its parent."""

import os
import sys
from threading import Lock

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from alm import tether
from alm.moto_queues import hand_out_at_once
from alm.moto_tables import copy_only_what_changes, one_at_a_time


def main() -> None:
    """Serve until the parent goes."""
    tether.on_parent_gone(lambda: os._exit(0))
    copy_only_what_changes()
    hand_out_at_once()
    app = one_at_a_time(DomainDispatcherApplication(create_backend_app), Lock())
    server = make_server("127.0.0.1", 0, app, threaded=True)
    with os.fdopen(_silenced(), "w") as parent:
        print(server.server_port, file=parent)
    server.serve_forever()


def _silenced() -> int:
    """Where standard output went until now. moto logs every request, and nobody reads that: a full pipe stops it."""
    parent, nobody = os.dup(sys.stdout.fileno()), os.open(os.devnull, os.O_WRONLY)
    for standard in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(nobody, standard)
    return parent


if __name__ == "__main__":
    main()
