"""Permission rules: what a profile may say, what would do nothing, and what holds whatever it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.builders import action

from orchestrator.domain.permissions import ALWAYS_DENIED, Permissions

TEXT = st.text("abc*/.:() ", max_size=12)


def _fault(key: str, rule: str) -> str:
    rules = {"allow": ["Read"], "deny": ["Edit"], key: [rule]}
    with pytest.raises(ValidationError) as caught:
        Permissions.model_validate(rules)
    (error,) = caught.value.errors()
    assert error["loc"] == (key,)
    return error["msg"]


@pytest.mark.parametrize("key", ["allow", "deny"])
@pytest.mark.parametrize(
    "rule", ["Read", "Bash(npm test)", "Bash(npm run:*)", "Read(src/**)", "Edit(docs/**)"]
)
def test_a_rule_is_a_tool_or_a_tool_with_a_pattern(key: str, rule: str) -> None:
    made = Permissions.model_validate({"allow": ["Grep"], "deny": ["Skill"], key: [rule]})
    assert getattr(made, key) == (rule,)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("Bash(:*)", "no command stands before :*"),
        ("Bash( )", "blank"),
        ("Read(a\\)", "backslash"),
        ("Read(src:*)", ":* is only for Bash"),
        ("Write(docs/**)", "write Edit(docs/**)"),
        ("NotebookEdit(a.ipynb)", "write Edit(a.ipynb)"),
        ("Glob(src/**)", "write Read(src/**)"),
        ("WebFetch(https://a.org)", "write WebFetch(domain:host)"),
        ("WebSearch(a *)", "WebSearch knows no wildcards"),
        ("read", "is not a permission rule"),
        ("Read (a)", "is not a permission rule"),
        ("Read(a\nb)", "people cannot see"),
        ("Read(a\u200bb)", "people cannot see"),
        *((tool, "is not a permission rule") for tool in ("LS", "MultiEdit", "BashOutput", "TodoWrite")),
        ("Read(a) ", "is not a permission rule"),
        ("mcp__github", "is not a permission rule"),
    ],
)
@pytest.mark.parametrize("key", ["allow", "deny"])
def test_a_rule_that_the_cli_would_drop_or_never_match_is_a_fault(key: str, rule: str, said: str) -> None:
    assert said in _fault(key, rule)


@pytest.mark.parametrize(
    ("allowed", "denied"), [("Bash", "Bash"), ("Bash(npm test)", "Bash"), ("Read(src/**)", "Read(src/**)")]
)
def test_a_rule_that_the_profile_itself_denies_is_a_fault(allowed: str, denied: str) -> None:
    with pytest.raises(ValidationError, match="deny wins over it"):
        Permissions.model_validate({"allow": [allowed], "deny": ["Edit", denied]})


@pytest.mark.parametrize(
    "rule",
    [
        "WebFetch",
        "WebSearch",
        "WebFetch(domain:a.org)",
        "Read(.env)",
        "Read(**/.env)",
        "Read(./config/.env.local)",
        "Read(~/.ssh/**)",
        "Read(//home/x/.aws/credentials)",
        "Read(certs/*.pem)",
        "Read(**/id_rsa.pub)",
        "Grep(.env)",
    ],
)
def test_what_is_always_denied_cannot_be_allowed(rule: str) -> None:
    assert "cannot be allowed" in _fault("allow", rule)


def test_a_rule_is_idle_without_a_tool_that_it_is_for() -> None:
    allow = ["Read", "Bash(npm test)", "Edit(docs/**)", "Read(src/**)", "Edit"]
    made = Permissions.model_validate({"allow": allow, "deny": ["WebFetch"]})
    assert made.idle(("Read", "Write")) == ("Bash(npm test)", "Edit")
    assert made.idle(("Grep",)) == ("Read", "Bash(npm test)", "Edit(docs/**)", "Edit")


def test_what_the_cli_gets_denies_what_the_profile_denies_and_what_is_always_denied() -> None:
    settings = action(settings={"permissions": {"allow": ["Read"], "deny": ["Edit", "WebFetch"]}}).settings
    enforced = settings.enforced().permissions
    assert enforced.allow == ("Read",)
    assert enforced.deny[:2] == ("Edit", "WebFetch")
    assert set(enforced.deny) == {"Edit", *ALWAYS_DENIED}
    assert settings.enforced().enforced() == settings.enforced()


@given(tool=st.sampled_from(["Read", "Bash", "Edit", "Grep", "WebFetch", "WebSearch"]), pattern=TEXT)
def test_no_profile_weakens_what_is_always_denied(tool: str, pattern: str) -> None:
    try:
        made = Permissions.model_validate({"allow": [f"{tool}({pattern})"], "deny": ["Edit"]})
    except ValidationError:
        return
    assert set(made.enforced().deny) >= set(ALWAYS_DENIED)
    assert not tool.startswith("Web")
