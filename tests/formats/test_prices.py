from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from tuneornot.errors import DataError
from tuneornot.formats import prices
from tuneornot.records import Price, Rates, Response

TODAY = datetime.date(2026, 11, 25)
FILE = """\
as_of: 2026-11-20
currency: EUR
models:
  "http://host/v1#large":
    {input_per_million: 2, cached_input_per_million: 0.5, output_per_million: 8}
  local:small: {per_machine_hour: 3.6}
"""


def faults(folder: Path, text: str) -> list[str]:
    (folder / "prices.yaml").write_text(text)
    with pytest.raises(DataError) as caught:
        prices.read(folder / "prices.yaml", today=TODAY)
    assert "docs/guides/budget.md" in str(caught.value)
    return list(caught.value.faults)


def answer(**said: object) -> Response:
    return Response(arm="a", question="q", text="yes", **said)  # type: ignore[arg-type]


def test_a_price_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text(FILE)
    found = prices.read(tmp_path / "prices.yaml", today=TODAY)
    assert found.currency == "EUR"
    large = found.price("http://host/v1#large", TODAY)
    assert large is not None
    assert (large.as_of, large.n_days_old) == ("2026-11-20", 5)
    assert found.price("local:none", TODAY) is None


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    told = faults(
        tmp_path,
        "as_of: 2027-01-01\ncurrency: ''\nmodels:\n"
        "  a: {input_per_million: -1, output_per_million: 2}\n"
        "  b: {input_per_million: 1}\n"
        "  c: {per_machine_hour: 1, output_per_million: 1}\n"
        "  d: {}\n"
        "  e: {input_per_million: .nan, output_per_million: 1}\n",
    )
    assert [fault.split(":")[0] for fault in told] == [
        "as_of",
        "currency",
        "models.a.input_per_million",
        "models.b",
        "models.c",
        "models.d",
        "models.e.input_per_million",
    ]
    assert "found -1" in told[2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("as_of: today\ncurrency: EUR\nmodels: {}\n", "as_of: found 'today'"),
        ("currency: EUR\nmodels: {}\n", "as_of: missing"),
        ("- 1\n", "expected a mapping"),
        ("a: [1\n", "is not YAML"),
        ("\xff", "expected a mapping"),
        (FILE.replace("per_machine_hour", "per_machine_hours"), "did you mean 'per_machine_hour'?"),
        (FILE.replace("3.6", "cheap"), "models.local:small.per_machine_hour: found 'cheap'"),
    ],
)
def test_what_is_no_price_file_is_told(tmp_path: Path, text: str, said: str) -> None:
    assert said in "\n".join(faults(tmp_path, text))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        prices.read(tmp_path / "prices.yaml", today=TODAY)


def test_tokens_are_paid_by_the_million() -> None:
    rates = Rates(input_per_million=2.0, output_per_million=8.0, cached_input_per_million=0.5)
    price = Price(rates=rates, currency="EUR", as_of="2026-11-20")
    used = answer(n_input_tokens=1_000_000, n_output_tokens=500_000)
    assert price.of(used) == pytest.approx(2.0 + 4.0)
    cached = answer(n_input_tokens=1_000_000, n_cached_tokens=400_000, n_output_tokens=0)
    assert price.of(cached) == pytest.approx(0.6 * 2.0 + 0.4 * 0.5)
    full = Price(
        rates=Rates(input_per_million=2.0, output_per_million=8.0), currency="EUR", as_of=""
    )
    assert full.of(cached) == pytest.approx(2.0)


def test_what_is_not_told_has_no_cost() -> None:
    by_tokens = Price(
        rates=Rates(input_per_million=2.0, output_per_million=8.0), currency="EUR", as_of=""
    )
    assert by_tokens.of(answer(n_input_tokens=3)) is None
    by_time = Price(rates=Rates(per_machine_hour=3.6), currency="EUR", as_of="")
    assert by_time.of(answer(n_input_tokens=3, n_output_tokens=3, latency_s=2.0)) is None
    assert by_time.of(answer(purpose="latency", latency_s=2.0, load=4)) is None
    assert by_time.of(answer(purpose="latency", latency_s=2.0)) == pytest.approx(0.002)
