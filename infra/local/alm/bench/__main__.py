"""Measures everything once and prints one table; `drain` answers a thousand tickets, `secrets` tries the scanner."""

import os
import statistics
import sys

from rich.console import Console
from rich.table import Table

from alm.bench import drain, image, polls, secrets
from alm.bench.gateway import gateway_added
from alm.bench.pipeline import CONCURRENCY, JOBS, ROUNDS, THINK_S, compare, crowd
from alm.bench.wall import walls_added
from alm.environment import forget_the_rest, machine_environment


def machine() -> str:
    """This machine's size."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB"


def main() -> None:
    """Measure and print."""
    table = Table("measured", "pipeline", "bare", "ratio", "goal", title=f"ALM Orchestrator on {machine()}")
    for think_s in (0.0, 2.0):
        samples = compare(think_s, ROUNDS if think_s == 0 else 3)
        pipeline = statistics.median(sample.pipeline_s for sample in samples)
        bare = statistics.median(sample.bare_s for sample in samples)
        row = (
            f"one job, 3 turns of {think_s:g} s",
            f"{pipeline:.2f} s",
            f"{bare:.2f} s",
            f"{pipeline / bare:.2f}",
        )
        table.add_row(*row, "≤ 1.15")
    for walled in walls_added():
        row = (
            f"one run behind {walled.rung}, canary and gateway",
            "not here" if walled.walled_ms is None else f"{walled.walled_ms:.0f} ms",
            f"{walled.bare_ms:.0f} ms",
            "" if walled.added_ms is None else f"+{walled.added_ms:.0f} ms",
        )
        table.add_row(*row, "< +150 ms")
    added = gateway_added()
    row = (
        "one model call of 110 KB, through the gateway",
        f"{added.through_ms:.1f} ms",
        f"{added.straight_ms:.1f} ms",
        f"+{added.added_ms:.1f} ms",
    )
    table.add_row(*row, "< +5 ms")
    elapsed, memory = crowd()
    ideal = -(-JOBS // CONCURRENCY) * THINK_S
    row = (
        f"{JOBS} jobs of {THINK_S:g} s, {CONCURRENCY} at once (bare: the thinking alone)",
        f"{elapsed:.1f} s",
        f"{ideal:.0f} s",
        f"{elapsed / ideal:.2f}",
    )
    table.add_row(*row, "< 35 s")
    table.add_row("worker's memory, largest of them", f"{memory:.0f} MB", "", "", "< 150 MB")
    for line in (*polls.rows(), *image.rows()):
        table.add_row(*line)
    Console(width=110).print(table)


if __name__ == "__main__":
    forget_the_rest(machine_environment())
    if sys.argv[1:] == ["drain"]:
        sys.exit(drain.main())
    if sys.argv[1:] == ["secrets"]:
        sys.exit(secrets.main())
    main()
