"""`python -m alm.worker`: run_job as a task of its own, waiting for one message; ends with its parent."""

import run_job.__main__
from alm import tether


def main() -> None:
    """One job."""
    tether.on_parent_gone()
    run_job.__main__.main(["--standby"])


if __name__ == "__main__":
    main()
