"""`make check` says what is wrong with an action before anything is started."""

import shutil
from pathlib import Path

import pytest

from alm.check_prompts import main
from alm.settings import PROMPTS

MAKEFILE = Path(__file__).parents[2] / "Makefile"


def test_the_actions_of_the_repository_can_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    assert capsys.readouterr().out.endswith(" actions can be used.\n")


def test_a_fault_ends_the_check_with_the_file_and_the_key(tmp_path: Path) -> None:
    folder = shutil.copytree(PROMPTS, tmp_path / "prompts")
    (folder / "fix.json").write_text('{"permissions": {"allow": ["Read"], "deny": []}}')
    with pytest.raises(SystemExit) as caught:
        main(folder)
    assert f"The actions cannot be used. {folder / 'fix.json'}: permissions.deny: " in str(caught.value)


def test_make_check_looks_at_the_actions() -> None:
    check = MAKEFILE.read_text().partition("\ncheck:")[2].partition("\n\n")[0]
    assert "-m alm.check_prompts\n" in check
