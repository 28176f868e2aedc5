"""`make chaos`: random schedules, their table, and for every broken promise the seed that shows it again."""

import argparse
import secrets
import sys
import time
from collections import Counter
from collections.abc import Sequence

from tests.chaos.promises import Kind
from tests.chaos.schedule import Schedule, played

SCHEDULES = 200
SEEDS = 1_000_000


def table(schedules: Sequence[Schedule], seconds: float) -> str:
    """What was played and what came of it."""
    faults: Counter[str] = sum((one.faults for one in schedules), Counter())
    kinds = Counter(broken.kind for one in schedules for broken in one.broken)
    rows = [
        ("schedules", len(schedules)),
        ("port calls", sum(len(one.points.seen) for one in schedules)),
        ("jobs", sum(len(one.world.jobs.records) for one in schedules)),
        ("faults injected", faults.total()),
        *((f"  {name}", count) for name, count in sorted(faults.items())),
        ("ended as failed, and said so", sum(one.told_as_failed for one in schedules)),
        ("brought back from dead letters", sum(one.redriven for one in schedules)),
        ("lost", kinds[Kind.LOST]),
        ("doubled", kinds[Kind.DOUBLED]),
    ]
    return "\n".join(f"{name:<32}{count:>8}" for name, count in rows) + f"\n{'seconds':<32}{seconds:>8.1f}\n"


def main(arguments: Sequence[str]) -> int:
    """Play them all; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--seed", type=int, default=None, help="the first seed; the others follow it")
    parser.add_argument("--schedules", type=int, default=SCHEDULES)
    options = parser.parse_args(arguments)
    first = secrets.randbelow(SEEDS) if options.seed is None else options.seed
    sys.stdout.write(f"seeds {first} to {first + options.schedules - 1}\n")
    started = time.monotonic()
    schedules = [played(first + number) for number in range(options.schedules)]
    sys.stdout.write(table(schedules, time.monotonic() - started))
    for one in schedules:
        for broken in one.broken:
            sys.stdout.write(f"{broken}  (make chaos SEED={one.seed} SCHEDULES=1)\n")
    return int(any(one.broken for one in schedules))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
