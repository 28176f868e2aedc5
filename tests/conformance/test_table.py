"""The table itself: no row twice, none without an end."""

from tests.conformance.attack import Group
from tests.conformance.play import play_on_a_machine
from tests.conformance.rungs import RUNGS
from tests.conformance.table import ATTACKS

from orchestrator.domain.agent import Source
from orchestrator.domain.outcome import Outcome
from orchestrator.domain.wall import Rung


def test_every_attack_has_a_name_of_its_own() -> None:
    slugs = [attack.slug for attack in ATTACKS]
    assert len(slugs) == len(set(slugs))


def test_what_is_not_counted_says_why_and_nothing_else_does() -> None:
    assert [one.name for one in ATTACKS if (one.source is None) is not bool(one.why_uncounted)] == []


def test_every_row_says_how_it_is_refused() -> None:
    """What the supervisor ends has no answer: the word of the supervisor is what its denial counts as."""
    silent = [one for one in ATTACKS if not all(one.refusal_on(level) for level in RUNGS)]
    assert all(one.is_stopped and one.counted_as for one in silent)


def test_few_rows_have_no_control_and_each_says_what_the_machine_lacks() -> None:
    marked = {one.name: (one.no_control, one.no_control_says) for one in ATTACKS if one.no_control}
    assert all(all(said) for said in marked.values())
    assert set(marked) == {
        "another kernel",
        "a kernel module",
        "a socket of the kernel's ciphers",
    }


def test_every_wall_is_attacked_and_no_row_excuses_the_strongest() -> None:
    assert set(RUNGS) == set(Rung) - {Rung.VM_BOUNDARY}
    assert [one.name for one in ATTACKS if Rung.BUBBLEWRAP in one.by_nature] == []


def test_the_last_rung_is_refused_where_a_socket_without_a_file_listens() -> None:
    """It cannot keep an agent from one; the rung above can, and the first has a network of its own."""
    refused = play_on_a_machine(Rung.SECCOMP, Group.READ, (), abstract=True)
    assert refused.result.verdict.outcome is Outcome.REFUSED
    assert refused.requests == ()


def test_no_run_has_more_refusals_by_the_kernel_than_are_counted() -> None:
    for group in Group:
        assert sum(one.source is Source.KERNEL and one.group is group for one in ATTACKS) < 100
