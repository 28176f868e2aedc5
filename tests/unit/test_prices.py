"""What tokens cost, by model, kind and length of the prompt."""

import pytest

from orchestrator.domain.ledger import Price, price_of
from orchestrator.domain.model_usage import Usage

WHOLE = Usage(input=10, output=40, cache_write_5m=20, cache_write_1h=50, cache_read=300)


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("claude-opus-4-8", 5),
        ("claude-opus-4-5-20251101", 5),
        ("claude-opus-5", 5),
        ("claude-opus-5-20260724", 5),
        ("claude-opus-5-5", 4),
        ("us.anthropic.claude-opus-5-5-v1:0", 4),
        ("claude-opus-5-55", 5),
        ("claude-sonnet-5", 2),
        ("claude-sonnet-5-5", 2),
        ("claude-haiku-5-5", 0.5),
        ("opus", 5),
        ("us.anthropic.claude-opus-4-6-v1:0", 5),
        ("claude-opus-4-1-20250805", 15),
        ("claude-opus-4-20250514", 15),
        ("claude-opus-4@20250514", 15),
        ("claude-opus-4-0", 15),
        ("claude-opus-4", 15),
        ("claude-3-opus-20240229", 15),
        ("claude-fable-5", 10),
        ("claude-sonnet-4-5-20250929", 3),
        ("SONNET", 3),
        ("claude-haiku-4-5-20251001", 1),
        ("claude-3-5-haiku-latest", 1),
        ("claude-haiku-opus", 5),
        ("claude-next", 15),
        ("None", 15),
        ("", 15),
    ],
)
def test_a_model_has_its_familys_price_and_an_unknown_one_the_dearest(model: str, price: float) -> None:
    assert price_of(model).input == price


def test_each_kind_of_token_has_its_own_price() -> None:
    million = Usage(*[1_000_000] * 5)
    assert Price(4, read_share=0.05).of(million) == pytest.approx(4 + 20 + 5 + 8 + 0.2)
    assert price_of("sonnet").of(WHOLE) == pytest.approx((30 + 600 + 75 + 300 + 90) / 1e6)


@pytest.mark.parametrize(("prompt", "cost_usd"), [(100_000, 0.0105), (100_001, 0.0525005)])
def test_a_model_may_cost_less_for_a_short_prompt(prompt: int, cost_usd: float) -> None:
    used = Usage(input=90_000, cache_read=prompt - 90_000, output=1000)
    price = Price(0.5, read_share=1, short_share=0.2)
    assert price.of(used) == pytest.approx(cost_usd)


@pytest.mark.parametrize(
    ("model", "prompt", "cost_usd"),
    [
        ("claude-sonnet-4-5", 200_000, 0.6 + 0.015),
        ("claude-sonnet-4-5", 200_001, 1.2 + 0.0225),
        ("claude-sonnet-4-20250514", 300_000, 1.8 + 0.0225),
        ("claude-sonnet-4-6", 300_000, 0.9 + 0.015),
        ("claude-sonnet-5-5", 300_000, 0.6 + 0.01),
    ],
)
def test_a_long_prompt_costs_more_with_older_sonnets(model: str, prompt: int, cost_usd: float) -> None:
    assert price_of(model).of(Usage(input=prompt, output=1000)) == pytest.approx(cost_usd, rel=1e-4)
