"""`docs/outcomes.md` is true: one case per row goes through poll, worker and publisher, and ends as the row says."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from tests.builders import (
    REPORT,
    agent_run,
    catalogue,
    changeset,
    cli_result,
    code_review,
    denial,
    fault,
    fix,
    issue,
    review_result,
    subject,
)
from tests.fakes.code_host import FakeCheckout
from tests.fakes.pipeline import Pipeline
from tests.fakes.secrets import HOOK, LEAK, changed

from orchestrator.domain.agent import UNFORMED, AgentRun, Stop
from orchestrator.domain.job import MAX_ATTEMPTS, PROCESSING_LABEL, RETRY_LABEL, result_key
from orchestrator.domain.money import Account, Limits, OverBudget, day_of
from orchestrator.domain.outcome import Outcome
from orchestrator.domain.pull_request import PullState
from orchestrator.errors import JobFailed, RefusedError, RepositoryTooLarge, SandboxRefused, TransientError

PAGE = Path(__file__).parents[2] / "docs" / "outcomes.md"
PERSONS = frozenset({"customer"})
UNFORMED_NOTE = "*The agent did not give its answer in the form it was"


class Row(NamedTuple):
    """What the table says of a condition."""

    outcome: str
    heading: str
    labels: str


class Case(NamedTuple):
    """How a condition comes about: what is there at first, and what happens after the claim."""

    action: str = "investigate"
    at_first: Callable[[Pipeline], object] = lambda _: None
    claimed: Callable[[Pipeline], object] = lambda _: None
    attempt: int = 1


def table() -> dict[str, Row]:
    """The rows of the page by their condition."""
    lines = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return {cells[0]: Row(*cells[1:]) for cells in lines if cells[0] != "when" and "**" not in cells[0]}


def _ends(run: AgentRun, action: str = "investigate", attempt: int = 1) -> Case:
    return Case(action, lambda world: setattr(world.agent, "answer", run), attempt=attempt)


def _errs(**result: Any) -> Case:
    return _ends(agent_run(exit_status=1, result=cli_result(is_error=True, **result)))


def _finds(checkout: FakeCheckout, **run: Any) -> Case:
    def at_first(world: Pipeline) -> None:
        world.cloner.checkout = checkout
        world.agent.answer = agent_run(**run)

    return Case("fix", at_first)


def _fails(place: str, call: str, error: Exception, action: str = "investigate", attempt: int = 1) -> Case:
    return Case(action, lambda world: getattr(world, place).faults.plan(call, error), attempt=attempt)


def _review_of(description: str) -> Case:
    return Case("code_review", lambda world: _describe(world, description))


def _review_at(**changes: Any) -> Case:
    return Case("code_review", lambda world: world.pull_requests.subjects.update({42: subject(**changes)}))


def _describe(world: Pipeline, text: str) -> None:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
    described = {"type": "doc", "version": 1, "content": [paragraph]}
    world.tracker.add(replace(world.tracker.issues["DEMO-1"], description=described))


def _be_an_epic(world: Pipeline) -> None:
    world.tracker.add(replace(world.tracker.issues["DEMO-1"], issue_type="Epic"))


def _lose_the_action(world: Pipeline) -> None:
    world.catalogue = catalogue(fix())


def _protect_what_the_worker_does_not(world: Pipeline) -> None:
    world.protected = ("shop/**",)


def _only(label: str) -> Callable[[Pipeline], None]:
    def at_first(world: Pipeline) -> None:
        world.tracker.add(replace(world.tracker.issues["DEMO-1"], labels=PERSONS | {label}))

    return at_first


def _cancel(world: Pipeline) -> None:
    world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL)
    world.poll()


def _limited(limits: Limits, spent: Mapping[Account, float] = MappingProxyType({})) -> Case:
    def at_first(world: Pipeline) -> None:
        world.limits = limits
        whose = {Account.TICKET: world.tracker.issues["DEMO-1"].id, Account.DAY: day_of(world.clock.time())}
        world.jobs.accounts = {(account, whose[account]): usd for account, usd in spent.items()}

    return Case(at_first=at_first)


LITTLE = Limits(ticket_usd=100, day_usd=4)
DENIED = (denial(),)
UNCHANGED = FakeCheckout(changeset(changes=()))
SILENT = TransientError("GitHub did not answer.")
CASES: dict[str, Case] = {
    "`ai-processing` stands there and no job of ours belongs to it": Case(at_first=_only(PROCESSING_LABEL)),
    "`ai-retry`: no action of the ticket has failed": Case(at_first=_only(RETRY_LABEL)),
    "the issue is of a type the action is not for": Case(at_first=_be_an_epic),
    "a review: the ticket names no pull request": _review_of("Nothing."),
    "a review: the ticket names a pull request of another repository": _review_of(
        "https://github.example/evil/r/pull/42"
    ),
    "a review: there is no pull request of that number": _review_of("PR 7"),
    "a review: the pull request is closed": _review_at(state=PullState.CLOSED),
    "a review: the pull request is merged": _review_at(state=PullState.MERGED),
    "a review: the pull request changes no file": _review_at(changed_files=0),
    "this deployment does not have the action any more": Case(claimed=_lose_the_action),
    "the worker stopped three times without finishing": Case(attempt=MAX_ATTEMPTS + 1),
    "what the worker was to know is no longer stored": Case(
        claimed=lambda world: world.artifacts.contents.clear()
    ),
    "GitHub does not answer, attempts are left": _fails("cloner", "clone", SILENT),
    "GitHub does not answer, on the last attempt": _fails("cloner", "clone", SILENT, attempt=MAX_ATTEMPTS),
    "GitHub refuses the token": _fails("cloner", "clone", RefusedError("It may not.", 401)),
    "the repository is larger than this deployment works on": _fails("cloner", "clone", RepositoryTooLarge()),
    "no wall can be built around the agent": _fails("agent", "run", SandboxRefused()),
    "a person takes `ai-processing` off before the agent starts": Case(claimed=_cancel),
    "the ticket has no money left": _limited(Limits(ticket_usd=4, day_usd=100), {Account.TICKET: 3}),
    "the action may cost more than the day's whole budget": _limited(Limits(ticket_usd=100, day_usd=2)),
    "the day has no money left: it waits for the next one": _limited(LITTLE, {Account.DAY: 3}),
    "the day has no money left, and `OVER_BUDGET` is `refuse`": _limited(
        replace(LITTLE, over=OverBudget.REFUSE), {Account.DAY: 3}
    ),
    "its time is used up": _ends(agent_run(stop=Stop.DEADLINE)),
    "its time is used up, and it has changed files: they are kept for the next run": _finds(
        FakeCheckout(changeset()), stop=Stop.DEADLINE
    ),
    "a person takes `ai-processing` off while it works": _ends(agent_run(stop=Stop.CANCELLED)),
    "the worker is stopped meanwhile, attempts are left": _ends(agent_run(stop=Stop.INTERRUPTED)),
    "the worker is stopped meanwhile, on the last attempt": _ends(
        agent_run(stop=Stop.INTERRUPTED), attempt=MAX_ATTEMPTS
    ),
    "it ends without a result": _ends(agent_run(result=None, exit_status=137)),
    "its result has `is_error`, though its subtype is `success`": _errs(subtype="success"),
    "the model's service refuses the call": _errs(api_error_status=401),
    "its turns are used up": _errs(subtype="error_max_turns"),
    "its budget is used up": _errs(subtype="error_max_budget_usd"),
    "it cannot put its answer into the action's form, and says nothing else": _errs(subtype=UNFORMED),
    "its exit status is not 0, though its result has no error": _ends(agent_run(exit_status=3)),
    "it says INVALID TICKET": _ends(agent_run(result=cli_result(result="INVALID TICKET: no steps"))),
    "it says INVALID TICKET, but changed files": _ends(
        agent_run(result=cli_result(structured_output={**REPORT, "invalid_ticket": "no steps"})), "fix"
    ),
    "its answer is empty": _ends(agent_run(result=cli_result(result=""))),
    "it was denied something and its answer is empty": _ends(
        agent_run(result=cli_result(result=""), denials=DENIED)
    ),
    "a change that cannot be read": _finds(FakeCheckout(None)),
    "a change that a person has to look at first: the worker sees it": _finds(
        FakeCheckout(changeset(blocked=(fault(),)))
    ),
    "a change that a person has to look at first: the publisher sees it": Case(
        "fix", claimed=_protect_what_the_worker_does_not
    ),
    "a change that holds what looks like a secret": _finds(changed(LEAK)),
    "a change with sensitive files, in a repository without draft pull requests": _fails(
        "pull_requests", "propose", JobFailed("No drafts."), "fix"
    ),
    "no change, where one was asked for": _finds(UNCHANGED),
    "no change, where one was asked for, and it was denied something": _finds(UNCHANGED, denials=DENIED),
    "a change that GitHub does not take": _fails(
        "pull_requests", "propose", JobFailed("The branch moved."), "fix"
    ),
    "a review that GitHub does not take": _fails(
        "pull_requests", "post_review", RefusedError("It may not.", 403), "code_review"
    ),
    "an error of ours, on the last attempt": _fails("agent", "run", KeyError(), attempt=MAX_ATTEMPTS),
    "a report": _ends(agent_run(result=cli_result(structured_output=REPORT))),
    "words instead of a report; the comment says so": Case(),
    "half a report, or one of another form; the comment says so": _ends(
        agent_run(
            exit_status=1,
            result=cli_result(is_error=True, subtype=UNFORMED, result=None),
            offered={"summary": "It is the cart."},
        )
    ),
    "a report, though it was denied something; the comment says so": _ends(
        agent_run(result=cli_result(structured_output=REPORT), denials=DENIED)
    ),
    "a change: it is in a pull request": Case("fix"),
    "a change with sensitive files: a draft pull request; the comment says so": _finds(changed(HOOK)),
    "a review: it is on the pull request": _ends(
        agent_run(result=cli_result(structured_output=review_result().report)), "code_review"
    ),
}


def _world(case: Case) -> Pipeline:
    made = Pipeline(catalogue=catalogue(*catalogue().actions, code_review()))
    label = f"ai-{case.action.replace('_', '-')}"
    made.tracker.add(issue(labels=PERSONS | {label}))
    _describe(made, "See PR 42.")
    made.pull_requests.subjects = {42: subject()}
    case.at_first(made)
    return made


def _ended(case: Case) -> tuple[Pipeline, Row]:
    """The world after the case, and the row it makes."""
    world = _world(case)
    header = next(known.header for known in world.catalogue.actions if known.name == case.action)
    job = world.take()
    case.claimed(world)
    with suppress(TransientError):
        if job in world.queue.jobs():
            world.work(job, case.attempt)
    with suppress(TransientError):
        if result_key(job.job_id) in world.artifacts.contents:
            world.publish(job)
    told = "".join(world.tracker.texts("DEMO-1")).partition("\n")[0].removeprefix("## ")
    left = world.tracker.issues["DEMO-1"].labels
    assert left >= PERSONS
    row = Row(
        outcome=world.jobs.records[job.job_id].outcome or "none yet",
        heading="`<header>`" if told == header else told or "nothing yet",
        labels=", ".join(f"`{label}`" for label in sorted(left - PERSONS)) or "none",
    )
    return world, row


def test_every_row_has_a_case_and_every_case_a_row() -> None:
    assert list(table()) == list(CASES)


def test_every_outcome_has_a_row() -> None:
    assert {row.outcome for row in table().values()} == {*Outcome, "none yet"}


@pytest.mark.parametrize("condition", CASES)
def test_a_job_ends_as_its_row_says(condition: str) -> None:
    _, row = _ended(CASES[condition])
    assert row == table().get(condition)


@pytest.mark.parametrize("condition", CASES)
def test_only_a_success_leaves_anything_on_the_code_host(condition: str) -> None:
    world, row = _ended(CASES[condition])
    published = [*world.pull_requests.proposals, *world.pull_requests.reviews]
    made = CASES[condition].action != "investigate" and row.outcome == Outcome.SUCCEEDED
    assert len(published) == made


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("words instead of a report; the comment says so", UNFORMED_NOTE),
        ("half a report, or one of another form; the comment says so", UNFORMED_NOTE),
        (
            "a report, though it was denied something; the comment says so",
            "The agent was denied 1 of the things it tried (Bash).",
        ),
    ],
)
def test_the_comment_says_so(condition: str, words: str) -> None:
    world, _ = _ended(CASES[condition])
    assert words in world.tracker.texts("DEMO-1")[0]
