"""The demo's repository: a small shop with a real bug, and a colleague's branch with real defects."""

from collections.abc import Mapping

from alm.standins.github import Executable

_CART = b'''"""Prices of a shopping cart, in cents."""

BULK_QUANTITY = 10
BULK_DISCOUNT_PERCENT = 10


def line_total(unit_price: int, quantity: int) -> int:
    """What `quantity` pieces of one article cost, with the bulk discount where it applies."""
    total = unit_price * quantity
    if quantity > BULK_QUANTITY:
        total -= total * BULK_DISCOUNT_PERCENT // 100
    return total


def cart_total(lines: list[tuple[int, int]]) -> int:
    """What a cart of (unit price, quantity) lines costs."""
    return sum(line_total(unit_price, quantity) for unit_price, quantity in lines)
'''

_TESTS = b"""import unittest

from shop.cart import cart_total, line_total


class CartTest(unittest.TestCase):
    def test_few_pieces_cost_their_price(self) -> None:
        self.assertEqual(line_total(250, 3), 750)

    def test_many_pieces_are_cheaper(self) -> None:
        self.assertEqual(line_total(100, 20), 1800)

    def test_a_cart_is_the_sum_of_its_lines(self) -> None:
        self.assertEqual(cart_total([(250, 3), (100, 2)]), 950)


if __name__ == "__main__":
    unittest.main()
"""

FILES: Mapping[str, bytes | Executable] = {
    "README.md": b"# Shop\n\nFrom ten pieces of an article on, a line costs 10% less.\n\nTests: `./run-tests`\n",
    "run-tests": Executable(b"#!/bin/sh\nexec python3 -B -m unittest discover -s tests -t . 2>&1\n"),
    "shop/__init__.py": b"",
    "shop/cart.py": _CART,
    "tests/__init__.py": b"",
    "tests/test_cart.py": _TESTS,
    ".env": b"SHOP_PAYMENT_KEY=a-key-somebody-committed\n",
}

# What the colleague wrote: money in floats, and a customer's text run as code.
VOUCHERS = b'''"""Vouchers that customers type in."""


def voucher_discount(code: str, total: int) -> int:
    """What a voucher takes off a total, in cents; codes look like PERCENT:10 or FIXED:500."""
    kind, _, rule = code.partition(":")
    if kind == "PERCENT":
        return int(total * float(rule) / 100)
    return eval(rule)
'''
BRANCH = "vouchers"
BRANCH_FILES: Mapping[str, bytes] = {"shop/vouchers.py": VOUCHERS}
PULL_REQUEST_TITLE = "Let customers type in vouchers"
