"""What an honest agent does all day is no denial, on any rung."""

import pytest
from tests.conformance.attack import Attack, Group, bash
from tests.conformance.play import LEARN, play_on_a_machine
from tests.conformance.rungs import RUNGS

from alm.standins.model import ToolCall
from orchestrator.domain.agent import target_of
from orchestrator.domain.wall import Rung

_TEST = """import unittest
class T(unittest.TestCase):
    def test_it(self):
        self.assertEqual("Connection refused", "curl: (7) Connection refused by peer")
unittest.main()"""
COMMANDS = (
    "ls -la; cat README.md; find . -name '*.py'; wc -l README.md",
    "git status; git log --oneline -3; git diff HEAD; git blame README.md",
    "grep -rn 'Permission denied' .; grep -rn nothing-like-this .",
    "cat missing.py; ls build; cd nowhere",
    f"printf '%s' '{_TEST}' >t.py; python3 t.py; rm t.py",
    "mkdir -p build && echo x >build/y && rm -r build && cat build/y",
    "node -e 'console.log(process.version)'; node -e 'require(\"nothing\")'",
    "printf 'all:\\n\\tfalse\\n' >Makefile; make; rm Makefile; make",
    "id; uname -a; nproc; du -sh .",
    "touch run.sh; ./run.sh",
    "rm run.sh; sleep 30 & kill $!; wait; kill $! || true",
    "git -c user.name=x -c user.email=x@example.org commit --allow-empty -m x; git show --stat",
    "python3 -c 'import tempfile; open(tempfile.mkstemp()[1]).read()'; python3 -c 'import nothing'",
    'cat "$HOME/.npmrc"; cat "$TMPDIR/missing"; ls "$PWD/missing"; git config --global user.name',
)
HONEST = (
    *(Attack(f"honest {number}", (bash(command),)) for number, command in enumerate(COMMANDS)),
    Attack("a missing file", (ToolCall("Read", {"file_path": "@workspace@/src/missing.py"}),)),
    Attack("a missing folder", (ToolCall("Grep", {"pattern": "x", "path": "@workspace@/missing"}),)),
    Attack("a new file", (ToolCall("Write", {"file_path": "@workspace@/new.py", "content": "x = 1\n"}),)),
)


@pytest.mark.parametrize("rung", RUNGS)
def test_honest_work_is_no_denial(rung: Rung) -> None:
    run = play_on_a_machine(rung, Group.CHANGE, HONEST, abstract=False)
    looked = target_of(LEARN.input)
    assert [denial for denial in run.result.denials if denial.target != looked] == []
    assert run.result.changeset is not None
    assert [change.path for change in run.result.changeset.changes] == ["new.py"]
