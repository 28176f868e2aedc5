"""Our own actions: that they load, and what their templates say."""

from collections import defaultdict
from pathlib import Path

from orchestrator.adapters.action_files import load_catalogue
from orchestrator.adapters.jinja_prompts import JinjaPrompts
from orchestrator.domain.action import Produces

PROMPTS = Path(__file__).parents[2] / "prompts"


def test_the_repositorys_own_actions_load() -> None:
    actions = load_catalogue(PROMPTS).actions
    assert {action.name for action in actions} >= {"investigate", "fix"}
    assert [action.order for action in actions] == sorted(action.order for action in actions)


def test_only_actions_that_change_files_speak_of_unfinished_work_and_only_where_there_is_some() -> None:
    values = {"ticket": defaultdict(str), "context": "", "pull_request": defaultdict(str)}
    for action in load_catalogue(PROMPTS).actions:
        fresh, continued = (
            JinjaPrompts().render(action.template, {**values, "continued": each}) for each in (False, True)
        )
        assert "earlier run" not in fresh
        assert ("An earlier run of this task was stopped" in continued) == (
            action.produces is Produces.PULL_REQUEST
        )
