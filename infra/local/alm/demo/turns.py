"""What the demo's model says, action by action. The tools it asks for are really run, by the real CLI."""

from alm.standins.model import ToolCall, Turn

# What a curious agent would look at: shown by the demo as proof of the wall.
LOOK_AROUND = """echo "== env"; env | sort
echo "== /"; ls /
echo "== /home /root /run"; ls /home; ls /root 2>&1; find /run -type f -o -type s 2>/dev/null
echo "== write"; touch /usr/x "$PWD/x" 2>&1
echo "== network"; ls /sys/class/net 2>/dev/null || sed 1,2d /proc/net/dev | cut -d: -f1
for target in 127.0.0.1/22 169.254.169.254/80 1.1.1.1/443; do
  if timeout 2 bash -c "</dev/tcp/$target" 2>/dev/null; then echo "$target answers"; else echo "$target refused"; fi
done
if socat -u OPEN:/dev/null "UNIX-CONNECT:$ANTHROPIC_UNIX_SOCKET"; then echo "gateway answers"; fi"""
# Where the agent finds the repository; the real one reads it in its prompt, and differs by wall.
FOLDER = "/workspace"
CART, TESTS = f"{FOLDER}/shop/cart.py", f"{FOLDER}/tests/test_cart.py"
NEW_TEST = """    def test_the_discount_starts_at_ten_pieces(self) -> None:
        self.assertEqual(line_total(100, 10), 900)

"""
MONEY = "python3 -B -c \"from shop.vouchers import voucher_discount as v; print(v('PERCENT:4.60', 1500))\""
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
IMPACT = (
    Turn("Who uses the discount?", (bash("grep -rn 'line_total\\|BULK_QUANTITY' --include=*.py ."),)),
    answer(
        summary="The change touches one comparison; every total of a cart goes through it.",
        files=[{"path": "shop/cart.py", "change": "the comparison in line_total"}],
        dependents=[
            {"name": "cart_total in shop/cart.py", "effect": "carts with exactly ten pieces get cheaper"}
        ],
        tests=[{"test": "tests/test_cart.py: exactly ten pieces", "why": "no test stands at the boundary"}],
        risk="low",
        risk_reason="One boundary in one function, and the README already promises the new behaviour.",
    ),
)
RECOMMEND = (
    Turn("I read what would change.", (read(CART),)),
    answer(
        summary="The discount has to start at ten pieces. Changing the comparison is enough.",
        recommended="Include the boundary",
        reason="It is the smallest change and says what the README says.",
        options=[
            {
                "name": "Include the boundary",
                "approach": "`>=` instead of `>` in line_total of shop/cart.py",
                "pros": ["one character", "the constant keeps its meaning"],
                "cons": ["none that matters"],
                "effort": "small",
            },
            {
                "name": "Lower the constant",
                "approach": "BULK_QUANTITY = 9",
                "pros": ["no change of logic"],
                "cons": ["the constant no longer says what the README says"],
                "effort": "small",
            },
        ],
    ),
)
SAVINGS = '''

def cart_savings(lines: list[tuple[int, int]]) -> int:
    """What the bulk discount takes off a cart of (unit price, quantity) lines."""
    full_price = sum(unit_price * quantity for unit_price, quantity in lines)
    return full_price - cart_total(lines)
'''
SAVINGS_TEST = """    def test_savings_are_what_the_discount_takes_off(self) -> None:
        self.assertEqual(cart_savings([(100, 20), (250, 3)]), 200)

"""
LAST_LINE = "    return sum(line_total(unit_price, quantity) for unit_price, quantity in lines)\n"
IMPLEMENT = (
    Turn("I read the nearest thing there is.", (read(CART), read(TESTS))),
    Turn(
        "The function and its test.",
        (
            edit(CART, LAST_LINE, LAST_LINE + SAVINGS),
            edit(TESTS, "import cart_total, line_total", "import cart_savings, cart_total, line_total"),
            edit(TESTS, "    def test_a_cart_is", f"{SAVINGS_TEST}    def test_a_cart_is"),
        ),
    ),
    Turn("All tests, and the whole change.", (bash("./run-tests && git diff --stat"),)),
    answer(
        summary="A cart now tells what the bulk discount saves: `cart_savings` in shop/cart.py.",
        changes=[
            {"path": "shop/cart.py", "change": "cart_savings: the full price less the total."},
            {"path": "tests/test_cart.py", "change": "A test with and without discount."},
        ],
        tests=[{"command": "./run-tests", "outcome": "all 4 pass"}],
        verify="`cart_savings([(100, 20)])` is 200.",
        criteria=[
            {"criterion": "A cart shows what the discount saved", "verdict": "met: the new test shows it"}
        ],
    ),
)
DIFF = "git diff refs/alm/merge-base HEAD"
VOUCHERS = "shop/vouchers.py"
CODE_REVIEW = (
    Turn("The change first.", (bash(DIFF),)),
    Turn("Does it do what it says?", (bash(MONEY),)),
    answer(
        summary="Vouchers are read and applied, but cents are lost and customers' text is run as code.",
        verdict="request_changes",
        findings=[
            {
                "path": VOUCHERS,
                "line": 8,
                "severity": "medium",
                "title": "Cents are lost in floating point",
                "explanation": "`voucher_discount('PERCENT:4.60', 1500)` gives 68, not 69.",
                "suggestion": "        return total * round(float(rule) * 100) // 10_000",
            },
            {
                "path": VOUCHERS,
                "line": 9,
                "severity": "critical",
                "title": "A customer's text is run as code",
                "explanation": "`FIXED:__import__('os').system('id')` runs a program.",
                "suggestion": "    return int(rule)",
            },
            {
                "path": "shop/cart.py",
                "line": 18,
                "severity": "low",
                "title": "Nothing applies a voucher yet",
                "explanation": "`cart_total` does not call `voucher_discount`.",
            },
        ],
        good=["The codes' form is documented."],
    ),
)
SECURITY_REVIEW = (
    Turn("The change first.", (bash(DIFF),)),
    answer(
        summary="The change lets any customer run code in the shop.",
        verdict="request_changes",
        score=60,
        deductions=[{"points": 40, "reason": "A customer's text is run as code"}],
        findings=[
            {
                "path": VOUCHERS,
                "line": 9,
                "severity": "critical",
                "cwe": "CWE-95",
                "title": "A customer's text is run as code",
                "explanation": "Whoever can type in a voucher runs Python with the shop's rights.",
                "suggestion": "    return int(rule)",
            },
            {
                "path": VOUCHERS,
                "line": 8,
                "severity": "low",
                "cwe": "CWE-1284",
                "title": "Nothing bounds the percentage",
                "explanation": "PERCENT:200 pays the customer.",
            },
        ],
        good=[],
    ),
)
