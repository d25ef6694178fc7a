from __future__ import annotations

import pytest

from tests.metrics.marking import mark, value
from tuneornot.metrics import identifiers
from tuneornot.metrics.base import Mark
from tuneornot.metrics.identifiers import Cited


@pytest.mark.parametrize(
    ("kind", "text", "cited"),
    [
        # The examples of the DOI Handbook, of ISO 2108's user manual and of arXiv's own page.
        ("doi", "see https://doi.org/10.1000/182.", [Cited("10.1000/182", True)]),
        ("doi", "(doi:10.1038/nphys1170)", [Cited("10.1038/nphys1170", True)]),
        ("doi", "10.1016/S0021-8502(96)00410-9", [Cited("10.1016/s0021-8502(96)00410-9", True)]),
        ("doi", "doi: 10.12/x and 10.1000/", [Cited("10.12/x", False), Cited("10.1000/", False)]),
        ("doi", "It rose by 10.5 percent.", [Cited("10.5", False)]),
        ("pmid", "PMID: 23193287; PubMed ID 1", [Cited("23193287", True), Cited("1", True)]),
        ("pmid", "PMID 0123, PMID:123456789", [Cited("0123", False), Cited("123456789", False)]),
        ("arxiv", "arXiv:0706.0001v2", [Cited("0706.0001", True)]),
        ("arxiv", "arXiv:1501.00001", [Cited("1501.00001", True)]),
        ("arxiv", "https://arxiv.org/abs/math.GT/0309136", [Cited("math.gt/0309136", True)]),
        ("arxiv", "arXiv:1501.0001", [Cited("1501.0001", False)]),
        ("arxiv", "arXiv:1413.00001", [Cited("1413.00001", False)]),
        ("arxiv", "arXiv:hep-th/9901001", [Cited("hep-th/9901001", True)]),
        ("isbn", "ISBN 978-0-306-40615-7", [Cited("9780306406157", True)]),
        ("isbn", "ISBN-10: 0-306-40615-2", [Cited("9780306406157", True)]),
        ("isbn", "ISBN 0-8044-2957-X", [Cited("9780804429573", True)]),
        ("isbn", "ISBN 978-0-306-40615-8", [Cited("9780306406158", False)]),
        ("isbn", "ISBN 0-306-40615-3", [Cited("0306406153", False)]),
    ],
)
def test_identifiers_by_their_registries(kind: str, text: str, cited: list[Cited]) -> None:
    assert list(identifiers.READERS[kind](text)) == cited


def test_every_other_digit_breaks_a_check_digit() -> None:
    for place in range(13):
        for digit in "0123456789":
            changed = f"{'9780306406157'[:place]}{digit}{'9780306406157'[place + 1 :]}"
            [found] = identifiers.isbns(f"ISBN {changed}")
            assert found.valid == (changed == "9780306406157")


def test_legal_citations_of_known_reporters() -> None:
    entry = {"citations": {"kind": "legal"}}
    assert value(entry, "Roe v. Wade, 410 U.S. 113 (1973); 42 U.S.C. § 1983.") == 1
    made = mark(entry, "See 12 Foo. Rep. 33 and 410 U.S. 113.")
    assert made == Mark(0.5, "no citation of this kind: 12 Foo. Rep. 33")
    for nothing in ("No court ever said so.", ""):
        assert mark(entry, nothing) == Mark(0.0, "the answer cites nothing")


def test_what_was_expected_in_another_spelling() -> None:
    entry = {"citations": {"kind": "legal", "figure": "f1"}}
    assert value(entry, "410 US 113", "Roe v. Wade, 410 U.S. 113 (1973)") == 1
    assert value(entry, "410 U.S. 113; 347 U.S. 483", "410 U.S. 113") == pytest.approx(2 / 3)
    assert mark(entry, "410 U.S. 113", "Nothing.").value is None
    books = {"citations": {"kind": "isbn", "figure": "precision"}}
    wrong = "ISBN 0-306-40615-2 and ISBN 978-0-306-40615-8"
    assert value(books, wrong, "ISBN 978-0-306-40615-7") == 0.5
