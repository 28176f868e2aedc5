"""What the demo's model says, turn by turn. The tools it asks for are really run, by the real CLI."""

from alm.standins.model import Conversation, ToolCall, Turn

# What a curious agent would look at: shown by the demo as proof of the wall.
LOOK_AROUND = """echo "== env"; env | sort
echo "== /"; ls /
echo "== /home /root /run"; ls /home; ls /root 2>&1; find /run -type f -o -type s 2>/dev/null
echo "== write"; touch /usr/x /workspace/x 2>&1
echo "== network"; ls /sys/class/net 2>/dev/null || sed 1,2d /proc/net/dev | cut -d: -f1
for target in 127.0.0.1/8080 127.0.0.1/22 169.254.169.254/80 1.1.1.1/443; do
  if timeout 2 bash -c "</dev/tcp/$target" 2>/dev/null; then echo "$target answers"; else echo "$target refused"; fi
done"""
CART, TESTS = "/workspace/shop/cart.py", "/workspace/tests/test_cart.py"
NEW_TEST = """    def test_the_discount_starts_at_ten_pieces(self) -> None:
        self.assertEqual(line_total(100, 10), 900)

"""
REPRODUCE = 'python3 -B -c "from shop.cart import line_total; print(line_total(100, 10))"'


def bash(command: str) -> ToolCall:
    """A command the agent runs."""
    return ToolCall("Bash", {"command": command, "description": "Run"})


def read(path: str) -> ToolCall:
    """A file the agent reads."""
    return ToolCall("Read", {"file_path": path})


def edit(path: str, old: str, new: str) -> ToolCall:
    """A change the agent makes."""
    return ToolCall("Edit", {"file_path": path, "old_string": old, "new_string": new})


def answer(**report: object) -> Turn:
    """The last turn: the structured result."""
    return Turn(tools=(ToolCall("StructuredOutput", report),))


INVESTIGATE = (
    Turn("First, where am I?", (bash(LOOK_AROUND),)),
    Turn("Now the code that gives the discount.", (read("/workspace/.env"), read(CART), bash(REPRODUCE))),
    answer(
        summary="Ten pieces cost full price because the discount starts above ten pieces instead of at ten.",
        root_cause="`line_total` compares with `quantity > BULK_QUANTITY`. With exactly 10 pieces the comparison is "
        "false, so the discount is not subtracted. The README promises it *from ten pieces on*.\n\n"
        "```python\nif quantity > BULK_QUANTITY:  # should include BULK_QUANTITY itself\n```",
        files=[{"path": "shop/cart.py", "lines": "10", "why": "strict comparison at the boundary"}],
        evidence=[
            "`line_total(100, 10)` returns 1000; 900 is expected.",
            "No test covers exactly ten pieces.",
        ],
        confidence="high",
    ),
)
FIX = (
    Turn("I read the code and its tests.", (read(CART), read(TESTS))),
    Turn(
        "A test that fails because of the defect.",
        (
            edit(
                TESTS,
                "    def test_a_cart_is",
                f"{NEW_TEST}    def test_a_cart_is",
            ),
        ),
    ),
    Turn("It has to fail first.", (bash("./run-tests || true"),)),
    Turn("The smallest change.", (edit(CART, "quantity > BULK_QUANTITY", "quantity >= BULK_QUANTITY"),)),
    Turn("All tests, and the whole change.", (bash("./run-tests && git diff --stat"),)),
    answer(
        summary="The bulk discount now starts at ten pieces, as the README says, instead of above ten.",
        changes=[
            {"path": "shop/cart.py", "change": "The comparison includes the boundary."},
            {"path": "tests/test_cart.py", "change": "A test for exactly ten pieces."},
        ],
        tests=[
            {
                "command": "./run-tests",
                "outcome": "the new test failed before the change; all 4 pass after it",
            }
        ],
        verify="Put ten pieces of one article into a cart: the line costs ten per cent less.",
        criteria=[
            {"criterion": "Ten pieces cost ten per cent less", "verdict": "met: the new test shows it"}
        ],
    ),
)


def script(conversation: Conversation) -> Turn:
    """The turn that comes next in this conversation."""
    turns = FIX if "Fix the defect in ticket" in conversation.prompt else INVESTIGATE
    return turns[min(conversation.step, len(turns) - 1)]
