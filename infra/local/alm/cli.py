"""The command `alm`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from alm.environment import forget_the_rest, machine_environment
from orchestrator.errors import OrchestratorError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 2 when the configuration cannot be used."""
    options = _parser().parse_args(arguments)
    forget_the_rest(machine_environment())
    try:
        return int(options.command(options))
    except OrchestratorError as error:
        print(f"alm: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="alm", description="ALM Orchestrator on one machine")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands.add_parser("demo", help="show everything working, without any account"))
    _add_run(commands.add_parser("run", help="work on the tickets of a real Jira"))
    return parser


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-v", "--verbose", action="store_true", help="show every log line")
    parser.set_defaults(command=_demo)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--env-file", type=Path, default=Path(".env"), help="configuration (default: .env)")
    parser.add_argument("--poll-interval", type=_seconds, metavar="N", help="seconds between polls")
    parser.add_argument("--once", action="store_true", help="poll once, finish its jobs, end")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done; write nothing")
    parser.add_argument("-v", "--verbose", action="store_true", help="show every log line")
    parser.add_argument("--logs-dir", type=Path, default=Path("logs"), help="JSON logs (default: logs)")
    parser.add_argument(
        "--concurrency", type=_count, default=2, metavar="N", help="jobs at once (default: 2)"
    )
    parser.set_defaults(command=_run)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 86_400:  # noqa: PLR2004  # a day
        raise argparse.ArgumentTypeError("must be more than 0 and at most a day")
    return seconds


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 64:  # noqa: PLR2004  # far more than one machine carries
        raise argparse.ArgumentTypeError("must be 1 to 64")
    return count


def _demo(options: argparse.Namespace) -> int:
    from alm.demo import demo  # noqa: PLC0415  # each command loads only what it needs

    return demo(verbose=options.verbose)


def _run(options: argparse.Namespace) -> int:
    from alm.run import RunOptions, dry_run, run  # noqa: PLC0415  # the same
    from alm.settings import read_env_file  # noqa: PLC0415  # the same

    settings = read_env_file(options.env_file)
    if options.dry_run:
        return dry_run(settings)
    return run(
        settings,
        RunOptions(
            poll_interval_s=options.poll_interval,
            once=options.once,
            verbose=options.verbose,
            logs_dir=options.logs_dir,
            concurrency=options.concurrency,
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
