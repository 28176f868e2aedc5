"""One random schedule: tickets, faults, messages that come twice, late or in another order, searches that lag."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tests.chaos.points import Fault, Points
from tests.chaos.promises import Broken, Kind, broken
from tests.chaos.scenarios import SCENARIOS, Scenario
from tests.chaos.services import ExpiringQueue
from tests.chaos.world import World

from orchestrator.domain.outcome import Outcome

# With the answers that go well, so that several of them can share a world.
PLAIN = tuple(
    one for one in SCENARIOS if one.name in {"comment", "pull request", "review", "wrong type", "a chain"}
)
TICKETS = 3
# From a fault now and then to one at every third call.
MOST_FAULTS = (4, 60)
LIKELY = (0.02, 0.35)
LONGEST_LAG_S = 90.0
STALL_S = 130.0
DELAY_S = 600.0
# A person looks at the dead letters this often before giving up.
MOST_REDRIVES = 10


@dataclass
class Schedule:
    """What the seed makes happen. The same seed makes the same happen again."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    redriven: int = 0
    told_as_failed: int = 0
    forgot: bool = False
    broken: list[Broken] = field(default_factory=list)
    _inside: bool = False
    _calm: bool = False

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311  # spreads faults, guards nothing
        self._likely = self.random.uniform(*LIKELY)
        self._most = self.random.randint(*MOST_FAULTS)
        self.points = Points(self._strikes, between=self._intrudes)
        self.world, self.tickets = self._prepared()

    def play(self) -> None:
        """To the end: faults first, then calm, in which a person brings the dead letters back."""
        self.world.go_on(self._disturbs)
        self._calm = True
        for _ in range(MOST_REDRIVES):
            self.world.go_on()
            if not (self.world.queue.dead or self.world.results.dead):
                break
            self.world.redrive()
        self._judge()

    def _prepared(self) -> tuple[World, dict[str, Scenario]]:
        if self.random.random() < 0.3:
            scenario = self.random.choice(SCENARIOS)
            return scenario.world(self.points), {"DEMO-1": scenario}
        chosen = {f"DEMO-{number}": self.random.choice(PLAIN) for number in range(1, TICKETS + 1)}
        world = chosen["DEMO-1"].world(self.points)
        for number, (key, scenario) in enumerate(chosen.items()):
            scenario.put_into(world, f"1000{number + 1}", key)
            world.answers |= scenario.answers
        world.tracker.lags_s = self.random.uniform(0, LONGEST_LAG_S)
        return world, chosen

    def _happens(self, times: float = 1.0) -> bool:
        is_due = not self._calm and self.faults.total() < self._most
        return is_due and not self._inside and self.random.random() < self._likely * times

    def _strikes(self, _number: int, name: str) -> Fault | None:
        if not self._happens():
            return None
        fault: Fault = self.random.choice([*Fault])
        self.faults[fault] += 1
        del name
        return fault

    def _intrudes(self, name: str) -> None:
        """A worker stands still for longer than its message is hidden, and another takes it; or two polls at once."""
        if name.startswith("poll") and self._happens(0.25):
            self.faults["two polls"] += 1
            self._inside = True
            self.world.poll()
            self._inside = False
        if name.startswith("work") and self._happens(0.25):
            self.faults["stalled worker"] += 1
            self._inside = True
            self.world.clock.now += STALL_S
            self.world.take_jobs()
            self._inside = False

    def _disturbs(self) -> None:
        for queue in (self.world.queue, self.world.results):
            self._disturb(queue)
        if self._happens(0.2):
            self.faults["label taken off"] += 1
            self.world.cancel(self.random.choice(sorted(self.tickets)))
        if self._happens(0.1):
            self.faults["job table emptied"] += 1
            self.world.empty_table()
            self.forgot = True

    def _disturb(self, queue: ExpiringQueue) -> None:
        if queue.ever and self._happens():
            self.faults["message twice"] += 1
            queue.hand_out_again(self.random.choice(queue.ever))
        if queue.messages and self._happens():
            self.faults["message late"] += 1
            self.random.choice(queue.messages).visible_at += DELAY_S
        if queue.messages and self._happens(0.2):
            self.faults["queue emptied"] += 1
            queue.purge()
        if len(queue.messages) > 1 and self._happens():
            self.faults["other order"] += 1
            queue.put_in_order(self.random.sample(groups := sorted(self.tickets), len(groups)))

    def _judge(self) -> None:
        self.redriven = self.world.redriven
        for key, scenario in self.tickets.items():
            self.broken += [one for one in broken(self.world, scenario, key) if self._counts(one)]
            names = scenario.expected
            ends = (one for one in self.world.jobs.records.values() if one.job_id.startswith(f"{key}-"))
            self.told_as_failed += sum(
                one.outcome == Outcome.FAILED != names[_action(one.job_id)].outcome for one in ends
            )

    def _counts(self, one: Broken) -> bool:
        """Any fault may end a job as failed, which is told; and no table can tell what was in the one before.

        Who takes the label off a job that its poll has not recorded yet takes back the wish, and is told nothing.
        """
        forgotten = self.forgot and one.is_of_the_record
        return (
            one.kind is not Kind.WRONG and not forgotten and not (self.world.cancelled and one.is_of_the_wish)
        )


def _action(job_id: str) -> str:
    return job_id.split("-")[2]


def played(seed: int) -> Schedule:
    """The schedule of that seed, to its end."""
    schedule = Schedule(seed)
    schedule.play()
    return schedule
