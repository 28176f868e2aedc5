"""`python -m alm.moto_process`: AWS for one machine. Prints its port, ends with its parent."""

import os
from threading import Event

from moto.server import ThreadedMotoServer

from alm import tether


def main() -> None:
    """Serve until the parent goes."""
    tether.on_parent_gone(lambda: os._exit(0))
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _host, port = server.get_host_and_port()
    print(port, flush=True)
    Event().wait()


if __name__ == "__main__":
    main()
