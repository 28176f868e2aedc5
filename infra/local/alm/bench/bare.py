"""The same work with nothing around it: a plain clone, the CLI as it is, and the script both are measured by."""

import os
import subprocess
from functools import cache
from pathlib import Path

from alm.demo.turns import INVESTIGATE, bash
from alm.environment import installed_cli
from alm.settings import PROMPTS
from alm.standins.github import GitHubStandIn
from alm.standins.model import Script, Turn
from orchestrator.adapters.action_files import load_action
from orchestrator.adapters.agent.claude_command import claude_argv, settings_json
from orchestrator.adapters.git_cli import CREDENTIAL_HELPER, git_environment
from orchestrator.adapters.jinja_prompts import JinjaPrompts
from orchestrator.adapters.wall.no_wall import NoWall
from orchestrator.adapters.wall.sandbox import Room
from orchestrator.domain.action import Action
from orchestrator.domain.job import Brief, Job
from orchestrator.domain.prompt import prompt_values

KEY = "sk-ant-bench"


@cache
def action() -> Action:
    """What is asked for."""
    return load_action(PROMPTS / "investigate.md")


def job() -> Job:
    """Whose name is in no result."""
    return Job(job_id="x", issue_id="1", issue_key="DEMO-1", action=action().name, label=action().label)


def prompt() -> str:
    """The words the CLI is given."""
    brief = Brief(issue_type="Bug", summary="Ten pieces cost the full price", description="", url="")
    return JinjaPrompts().render(action().template, prompt_values(job(), brief, None, "0" * 16))


def clone_bare(github: GitHubStandIn, target: Path) -> None:
    """A shallow clone by plain git."""
    environment = git_environment(
        {"credential.helper": CREDENTIAL_HELPER}, {"ALM_GIT_TOKEN": github.settings.read_token}
    )
    subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", github.clone_url, str(target)], env=environment, check=True
    )


def run_bare(url: str, folder: Path) -> None:
    """The CLI as the worker calls it, but without wall and gateway."""
    room = Room(folder, folder / "clone", writable=False, cli=installed_cli())
    room.settings.write_text(settings_json(action().settings))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
    argv = claude_argv(action(), None, NoWall().view(room))
    subprocess.run(
        argv,
        input=prompt().encode(),
        env=environment,
        cwd=folder / "clone",
        check=True,
        capture_output=True,
    )


def script(think_s: float) -> Script:
    """Three turns, each after some thinking; only what works inside and outside the wall alike."""
    turns = (
        Turn("Looking.", (bash("ls"),), think_s),
        Turn("Reading.", (bash("cat shop/cart.py"),), think_s),
        Turn(tools=INVESTIGATE[-1].tools, think_s=think_s),
    )
    return lambda conversation: turns[min(conversation.step, len(turns) - 1)]
