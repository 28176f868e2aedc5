"""`python -m alm.check_prompts`: load the actions as every function does at start, and say what to mend."""

import sys
from pathlib import Path

from alm.settings import PROMPTS
from orchestrator.bootstrap import catalogue
from orchestrator.errors import ConfigError


def main(folder: Path = PROMPTS) -> None:
    """Say how many actions there are, or end with the file and the key at fault."""
    try:
        actions = catalogue(folder).actions
    except ConfigError as error:
        sys.exit(f"The actions cannot be used. {error}")
    print(f"The {len(actions)} actions can be used.")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
