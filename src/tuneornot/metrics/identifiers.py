"""Identifiers of publications in a text: DOI, PubMed, arXiv, ISBN, and whether they can be right.

Looked for generously and checked strictly: what introduces itself as an identifier is one, and what
it says must have the form that its registry gives out, with the right check digit where there is
one. Whether the publication exists is not known: nobody is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple


class Cited(NamedTuple):
    """One citation in a text."""

    name: str
    """As it is compared: in one spelling."""
    valid: bool


Reader = Callable[[str], Iterator[Cited]]

_DOI = re.compile(r"(?:\bdoi(?:\.org/|\s*[:/]?\s*)|\b)(10\.\d[^\s\"'<>|{}]*)", re.I)
_DOI_FORM = re.compile(r"10\.\d{4,9}(?:\.\d+)*/[^\s/].*")
_PMID = re.compile(r"\b(?:PMID|PubMed(?:\s+ID)?)\s*[:#]?\s*(\w+)", re.I)
_ARXIV = re.compile(
    r"\barxiv(?:\.org/(?:abs|pdf)/|\s*:?\s*)(\d[\w.]*\w|[a-z\-]+(?:\.[a-z]{2})?/\w+)", re.I
)
_ARXIV_NEW = re.compile(r"(\d\d)(\d\d)\.(\d{4,5})(?:v[1-9]\d*)?")
_ARXIV_OLD = re.compile(
    r"[a-z]+(?:-[a-z]+)?(?:\.[a-z]{2})?/\d\d(?:0[1-9]|1[0-2])\d{3}(?:v[1-9]\d*)?"
)
_ISBN = re.compile(r"\bISBN(?:-1[03])?\s*:?\s*([\dX][\dX\- ]{6,20}[\dX])(?![\dX])", re.I)


def dois(text: str) -> Iterator[Cited]:
    """DOI names; right if they have a prefix ``10.`` with four to nine digits and a suffix.

    Source: ISO 26324, DOI Handbook, section 2.2.
    """
    for found in _DOI.finditer(text):
        name = _unbracketed(found[1].rstrip(".,;:!?*_")).lower()
        yield Cited(name, _DOI_FORM.fullmatch(name) is not None)


def pmids(text: str) -> Iterator[Cited]:
    """Numbers of PubMed records; right if they are one to eight digits without leading zero."""
    for found in _PMID.finditer(text):
        yield Cited(found[1].lower(), re.fullmatch(r"[1-9]\d{0,7}", found[1]) is not None)


def arxiv(text: str) -> Iterator[Cited]:
    """arXiv identifiers of either scheme, compared without their version.

    Since April 2007 ``YYMM.NNNN``, since January 2015 ``YYMM.NNNNN``; before ``archive/YYMMNNN``.
    Source: arxiv.org, "Understanding the arXiv identifier".
    """
    for found in _ARXIV.finditer(text):
        name = found[1].lower().removesuffix(".pdf")
        yield Cited(re.sub(r"(?<=\d)v\d+$", "", name), _is_arxiv(name))


def isbns(text: str) -> Iterator[Cited]:
    """Numbers of books, compared in 13 digits; right if their check digit is.

    Source: ISO 2108; weights 10 to 1 modulo 11 for ten digits, 1 and 3 in turn modulo 10 for 13.
    """
    for found in _ISBN.finditer(text):
        digits = re.sub(r"[- ]", "", found[1]).upper()
        valid = _is_isbn(digits)
        if valid and len(digits) == 10:
            digits = _thirteen(digits)
        yield Cited(digits, valid)


READERS: Mapping[str, Reader] = {"doi": dois, "pmid": pmids, "arxiv": arxiv, "isbn": isbns}


def _unbracketed(name: str) -> str:
    """Without a closing bracket that was never opened: it belongs to the sentence."""
    for opening, closing in ("()", "[]"):
        while name.endswith(closing) and name.count(closing) > name.count(opening):
            name = name[:-1].rstrip(".,;:")
    return name


def _is_arxiv(name: str) -> bool:
    found = _ARXIV_NEW.fullmatch(name)
    if found is None:
        return _ARXIV_OLD.fullmatch(name) is not None
    year, month, number = int(found[1]), int(found[2]), found[3]
    return 1 <= month <= 12 and (year, month) >= (7, 4) and len(number) == (5 if year > 14 else 4)


def _is_isbn(digits: str) -> bool:
    if re.fullmatch(r"\d{9}[\dX]", digits):
        values = [10 if digit == "X" else int(digit) for digit in digits]
        return sum((10 - place) * value for place, value in enumerate(values)) % 11 == 0
    if re.fullmatch(r"97[89]\d{10}", digits):
        return _weighted(digits) % 10 == 0
    return False


def _thirteen(digits: str) -> str:
    """An ISBN of ten digits as one of thirteen."""
    stem = f"978{digits[:9]}"
    return f"{stem}{-_weighted(stem) % 10}"


def _weighted(digits: str) -> int:
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
