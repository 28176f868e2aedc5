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
    forget_the_rest({**machine_environment(), **_account(options)})
    try:
        return int(options.command(options))
    except OrchestratorError as error:
        from alm.shown import plain  # noqa: PLC0415  # what went wrong may quote a ticket

        print(f"alm: {plain(error)}", file=sys.stderr)
        return 2


def _account(options: argparse.Namespace) -> dict[str, str]:
    """The person's AWS configuration, for the commands that reach a deployment there, and for no other."""
    if not options.reaches_aws(options):
        return {}
    from alm.account import aws_configuration  # noqa: PLC0415  # each command loads only what it needs

    return aws_configuration()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="alm", description="ALM Orchestrator, on one machine and deployed")
    parser.set_defaults(reaches_aws=lambda _: False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands.add_parser("demo", help="show everything working, without any account"))
    _add_run(commands.add_parser("run", help="work on the tickets of a real Jira"))
    _add_doctor(
        commands.add_parser("doctor", help="check tools, accounts, rights and walls; say how to mend")
    )
    _add_secrets(commands.add_parser("secrets", help="the credentials of a deployment"))
    _add_jobs(commands.add_parser("jobs", help="list a deployment's jobs"))
    _add_show(
        commands.add_parser("show", help="show a job: result, denials, walls, artifacts, or its changes")
    )
    _add_one_job(commands.add_parser("cancel", help="end a job that has not ended"), _cancel)
    _add_retry(commands.add_parser("retry", help="ask for a job's work again, by its label"))
    _add_redrive(commands.add_parser("redrive", help="bring back messages that were given up"))
    return parser


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-v", "--verbose", action="store_true", help="show every log line")
    parser.set_defaults(command=_demo)


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_env_file(parser)
    parser.add_argument("--poll-interval", type=_seconds, metavar="N", help="seconds between polls")
    parser.add_argument(
        "--once",
        action="store_true",
        help="poll once (three tickets for each worker at most), finish its jobs, end",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be done; write nothing")
    parser.add_argument("-v", "--verbose", action="store_true", help="show every log line")
    parser.add_argument("--logs-dir", type=Path, default=Path("logs"), help="JSON logs (default: logs)")
    parser.add_argument(
        "--concurrency", type=_count, default=2, metavar="N", help="jobs at once (default: 2)"
    )
    parser.set_defaults(command=_run)


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    _add_env_file(parser)
    _add_stack(parser)
    _add_json(parser)
    parser.set_defaults(command=_doctor, reaches_aws=lambda options: options.stack is not None)


def _add_secrets(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    rotate = commands.add_parser(
        "rotate-signing", help="make a new key that signs jobs; jobs under way go on"
    )
    rotate.add_argument("--stack", metavar="NAME", required=True, help="the deployed stack")
    _add_region(rotate)
    rotate.set_defaults(command=_rotate_signing, reaches_aws=lambda _: True)
    push = commands.add_parser(
        "push", help="make Secrets Manager hold what the .env says; names are shown, values never"
    )
    _add_env_file(push)
    push.add_argument("--stack", metavar="NAME", help="the deployed stack, whose secrets have its own prefix")
    _add_region(push)
    push.set_defaults(command=_push, reaches_aws=lambda _: True)


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--issue", metavar="KEY", help="only the jobs of this issue")
    parser.add_argument("--by", choices=("ticket", "day"), help="what tickets or days cost, instead of jobs")
    _add_deployment(parser)
    parser.set_defaults(command=_jobs)


def _add_one_job(parser: argparse.ArgumentParser, command: object) -> None:
    parser.add_argument("job", metavar="JOB", help="the job's id, as `alm jobs` and the ticket show it")
    _add_deployment(parser)
    parser.set_defaults(command=command)


def _add_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--diff", action="store_true", help="only the changes it kept, for `git apply`")
    _add_one_job(parser, _show)


def _add_retry(parser: argparse.ArgumentParser) -> None:
    _add_one_job(parser, _retry)
    _add_env_file(parser)


def _add_redrive(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--delete-foreign", action="store_true", help="delete messages that are not ours")
    _add_deployment(parser)
    _add_env_file(parser)
    parser.set_defaults(command=_redrive)


def _add_deployment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--local", action="store_true", help="the `alm run` of this machine, not a stack")
    parser.add_argument("--logs-dir", type=Path, default=Path("logs"), help="with --local: its logs folder")
    _add_stack(parser)
    _add_json(parser)
    parser.set_defaults(reaches_aws=lambda options: not options.local)


def _add_stack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stack", metavar="NAME", help="the deployed stack (default: that of samconfig.toml)"
    )
    _add_region(parser)


def _add_region(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--region", metavar="NAME", help="its region (default: that of your AWS configuration)"
    )


def _add_env_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--env-file", type=Path, default=Path(".env"), help="configuration (default: .env)")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for scripts")


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
    from alm.settings import read_env_file, with_kept_signing_key  # noqa: PLC0415  # the same

    settings = read_env_file(options.env_file)
    if options.dry_run:
        return dry_run(settings)
    return run(
        with_kept_signing_key(settings, options.env_file),
        RunOptions(
            poll_interval_s=options.poll_interval,
            once=options.once,
            verbose=options.verbose,
            logs_dir=options.logs_dir,
            concurrency=options.concurrency,
        ),
    )


def _doctor(options: argparse.Namespace) -> int:
    from alm.doctor import doctor  # noqa: PLC0415  # the same

    return doctor(options)


def _push(options: argparse.Namespace) -> int:
    from alm.deployed_secrets import push_command  # noqa: PLC0415  # the same

    return push_command(options)


def _rotate_signing(options: argparse.Namespace) -> int:
    from alm.signing_key import rotate_command  # noqa: PLC0415  # the same

    return rotate_command(options)


def _jobs(options: argparse.Namespace) -> int:
    from alm.job_commands import list_jobs  # noqa: PLC0415  # the same

    return list_jobs(options)


def _show(options: argparse.Namespace) -> int:
    from alm.job_commands import show_job  # noqa: PLC0415  # the same

    return show_job(options)


def _cancel(options: argparse.Namespace) -> int:
    from alm.job_commands import cancel_job  # noqa: PLC0415  # the same

    return cancel_job(options)


def _retry(options: argparse.Namespace) -> int:
    from alm.job_commands import retry_job  # noqa: PLC0415  # the same

    return retry_job(options)


def _redrive(options: argparse.Namespace) -> int:
    from alm.job_commands import redrive  # noqa: PLC0415  # the same

    return redrive(options)


if __name__ == "__main__":
    sys.exit(main())
