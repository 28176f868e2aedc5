"""`docs/adding-an-action.md` is true: its two files are all that a new action needs."""

import re
import shutil
from pathlib import Path

import pytest
from tests.e2e.alm_command import World

from alm.environment import ROOT
from alm.standins.model import Conversation, ToolCall, Turn
from orchestrator.bootstrap import catalogue
from orchestrator.domain.action import Action

PAGE = (ROOT / "docs" / "adding-an-action.md").read_text()
ANSWER = {
    "summary": "A discount is taken off from ten pieces on.",
    "how_it_works": "`line_total` multiplies, then subtracts.\n\nNothing else is involved.",
    "files": [{"path": "shop/cart.py", "why": "the comparison"}],
}


def example(name: str, language: str) -> str:
    """The page's block under the name of a file."""
    found = re.search(rf"^`{name}`:\n\n```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def drop_in(prompts: Path) -> None:
    for name, language in (("explain.md", "markdown"), ("explain.json", "json")):
        (prompts / name).write_text(example(name, language))


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "prompts", tmp_path / "prompts"))


def explained(conversation: Conversation) -> Turn:
    """Reads a file, then answers."""
    if conversation.step == 0:
        return Turn("I look.", (ToolCall("Read", {"file_path": "/workspace/shop/cart.py"}),))
    return Turn(tools=(ToolCall("StructuredOutput", ANSWER),))


def test_two_files_more_make_a_label_that_is_polled_run_and_published(tmp_path: Path, prompts: Path) -> None:
    with World.around(tmp_path, explained, PROMPTS_DIR=str(prompts)) as world:
        world.jira.create_issue("Story", "Where is the discount?", description="x", labels=("ai-explain",))
        status, printed = world.alm("run", "--once")
        assert status == 0, printed
        assert world.jira.issue("DEMO-1").labels == ("ai-explain",)

        drop_in(prompts)
        status, printed = world.alm("run", "--once")
        assert status == 0, printed
        assert world.jira.issue("DEMO-1").labels == ()
        (told,), (result,) = world.status("DEMO-1"), world.comments("DEMO-1")
        _, body = world.model.requests[0]
        asked = str(body)
    assert "**Explanation** done" in told
    assert result.strip().startswith("## EXPLANATION")
    for words in ("A discount is taken off", "### How it works today", "### Where to look", "shop/cart.py"):
        assert words in result
    assert "Explain how the code that ticket DEMO-1 speaks of works today." in asked
    assert "Where is the discount?" in asked


def test_the_example_takes_its_place_among_the_actions(prompts: Path) -> None:
    drop_in(prompts)
    names = [action.name for action in catalogue(prompts).actions]
    assert names[:3] == ["investigate", "explain", "impact"]


def test_the_page_speaks_of_every_key_there_is() -> None:
    table = PAGE.partition("key by key")[2].partition("## The settings")[0]
    keys = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert keys == set(Action.model_fields) - {"name", "template", "settings"}
