"""The walls the attacks are played on. Whatever differs by rung stands here and in the rows' `by_nature`."""

from collections.abc import Callable, Mapping

from tests.contract.tls_server import Internet

from alm.environment import installed_cli
from orchestrator.adapters.agent.claude_code import ClaudeCode
from orchestrator.adapters.gateway.anthropic import AnthropicModel
from orchestrator.adapters.gateway.egress import Egress
from orchestrator.adapters.wall.bubblewrap import Bubblewrap
from orchestrator.adapters.wall.ladder import Ladder
from orchestrator.adapters.wall.sandbox import Sandbox
from orchestrator.adapters.wall.without_namespaces import Landlock, Seccomp
from orchestrator.domain.wall import Rung

_SANDBOXES: Mapping[Rung, Callable[[], Sandbox]] = {
    Rung.BUBBLEWRAP: Bubblewrap,
    Rung.LANDLOCK: Landlock,
    Rung.SECCOMP: Seccomp,
}
RUNGS = tuple(_SANDBOXES)
KEY = "sk-ant-planted-3f9c2b7e51"


def agent_behind(rung: Rung, base_url: str, internet: Internet) -> ClaudeCode:
    """The agent as a worker makes it, with that wall and no other to choose from, and an internet of the test's."""
    ladder = Ladder((_SANDBOXES[rung](),), Rung.SECCOMP)
    model = AnthropicModel(base_url, KEY)

    def tunnels(hosts: tuple[str, ...]) -> Egress:
        return Egress(hosts, internet.resolve, internet.connect)

    return ClaudeCode(ladder, installed_cli(), model, max_retries=1, tunnels=tunnels)
