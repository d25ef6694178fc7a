"""Private text: secrets and personal data that should not leave the machine unnoticed.

``find`` looks for what has a form of its own: keys by the prefixes that their issuers give them,
values that are named a password or a key and look drawn at random, e-mail addresses, phone
numbers, and IBANs, payment cards and US social security numbers by their checksums and number
ranges. What it returns holds a masked excerpt only, so that it can be printed, kept and sent.

It does not know names, addresses or health records: those have no form, and finding none of the
above says nothing about them. Addresses and numbers that are reserved for examples (example.com,
555-0100) are no one's, and what is plainly a placeholder is no secret. It does not decide whether
a text may be sent; its figures are in ``docs/concepts/cases.md``.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from tuneornot.records import Case

Kind = Literal[
    "key", "private key", "token", "password", "e-mail", "phone", "IBAN", "card", "social security"
]
SECRETS: frozenset[Kind] = frozenset({"key", "private key", "token", "password"})
"""Kinds that open something; the others are data about a person."""


class Finding(NamedTuple):
    """One piece of private text."""

    kind: Kind
    excerpt: str
    """What was found, masked: enough to recognise it, too little to use it."""
    start: int
    """Of the piece in the text, in characters."""
    end: int

    @property
    def secret(self) -> bool:
        """Whether it opens something, in contrast to data about a person."""
        return self.kind in SECRETS


def find(text: str) -> tuple[Finding, ...]:
    """Every piece of private text that has a known form, in the order of the text.

    Where two forms claim the same characters, the one that begins first counts, of two that begin
    together the longer one.
    """
    claims = sorted(_claims(text), key=lambda found: (found.start, -found.end))
    kept: list[Finding] = []
    for claim in claims:
        if not kept or claim.start >= kept[-1].end:
            kept.append(claim)
    return tuple(kept)


class Held(NamedTuple):
    """What some texts hold of one kind."""

    kind: Kind
    n: int
    """Pieces of it."""
    n_texts: int
    """Texts with at least one."""
    id: str
    """The first of them."""
    excerpt: str
    """The first piece, masked."""

    def told(self, where: str) -> str:
        """One sentence; ``where`` names the set that the texts are of."""
        times = "once" if self.n == 1 else f"{self.n} times, in {self.n_texts} of its rows"
        return f"{where} holds private text: {self.kind} {times}; the first in {self.id!r}: " + (
            self.excerpt
        )


def texts(cases: Iterable[Case]) -> Iterator[tuple[str, str]]:
    """The id of each case with all that it says: question, context and answer."""
    for case in cases:
        answer = "" if case.expected is None else case.answer
        yield case.id, "\n".join((case.text, case.context or "", answer))


def held(texts: Iterable[tuple[str, str]]) -> tuple[Held, ...]:
    """What texts hold, each with an id, by kind, secrets first."""
    found: dict[Kind, list[tuple[str, Finding]]] = defaultdict(list)
    for name, text in texts:
        for piece in find(text):
            found[piece.kind].append((name, piece))
    return tuple(
        Held(
            kind=kind,
            n=len(pieces),
            n_texts=len({name for name, _ in pieces}),
            id=pieces[0][0],
            excerpt=pieces[0][1].excerpt,
        )
        for kind, pieces in sorted(found.items(), key=lambda item: item[0] not in SECRETS)
    )


class _Form(NamedTuple):
    """How one kind is written, and what tells it from what only looks like it."""

    kind: Kind
    needle: re.Pattern[str]
    """What a text must hold for the pattern to be worth trying; cheap."""
    pattern: re.Pattern[str]
    """The piece itself is the group ``it``."""
    holds: Callable[[str], bool]
    masked: Callable[[str], str]


def _claims(text: str) -> Iterator[Finding]:
    for form in _FORMS:
        if not form.needle.search(text):
            continue
        for match in form.pattern.finditer(text):
            found = match["it"]
            if form.holds(found):
                yield Finding(form.kind, form.masked(found), *match.span("it"))


# --- what a text may be taken for ------------------------------------------------------------

_PLACEHOLDER = re.compile(
    r"[<>{}$*]|\.\.\.|example|placeholder|changeme|dummy|sample|redacted|your[-_]|x{4}|(.)\1{5}",
    re.IGNORECASE,
)
_RESERVED_HOST = re.compile(
    r"(?:^|\.)(?:example(?:\.(?:com|org|net))?|test|invalid|localhost)$", re.IGNORECASE
)
# The part of the North American plan that is given to nobody: 555-0100 to 555-0199.
_FICTIONAL = re.compile(r"55501\d\d$")
# Lengths by country, from the registry of ISO 13616.
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "FR GR IT MC SM",
        28: "AL AZ BY CY DO GT HU LB PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU",
        31: "MT SC",
    }.items()
    for country in countries.split()
}


def entropy(text: str) -> float:
    """Shannon's entropy of the text's own characters, in bits for each character."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts) if text else 0.0


def _drawn(value: str) -> bool:
    """Whether a value looks drawn at random: neither a placeholder nor a word or a name.

    Random characters are hardly ever repeated (an entropy of 3 bits needs eight different ones)
    and change between small letters, capitals and digits far more often than words do.
    """
    if not _varied(value, least=3.0):
        return False
    classes = [_class_of(letter) for letter in value if letter.isalnum()]
    changes = sum(a != b for a, b in itertools.pairwise(classes))
    return len(set(classes)) >= 2 and changes >= (len(value) - 1) / 4


def _class_of(letter: str) -> int:
    return 0 if letter.islower() else 1 if letter.isupper() else 2 if letter.isdigit() else 3


def _varied(value: str, *, least: float) -> bool:
    """No placeholder, and of at least so many bits for each character."""
    return not _PLACEHOLDER.search(value) and entropy(value) >= least


def _chosen(password: str) -> bool:
    """A value that is named a password: with digits or capitals, no call and no name in code."""
    kinds = {_class_of(letter) for letter in password}
    code = re.fullmatch(r"[\w.]*[(\[].*|[A-Za-z]+(?:[_.-][A-Za-z]+)+", password)
    return len(kinds) >= 2 and bool(kinds & {1, 2}) and not code and _varied(password, least=2.0)


def _own_address(address: str) -> bool:
    return not _RESERVED_HOST.search(address.rpartition("@")[2])


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdecimal())


def _phone(number: str) -> bool:
    digits = _digits(number)
    return 7 <= len(digits) <= 15 and len(set(digits)) > 2 and not _FICTIONAL.search(digits)


def _iban(account: str) -> bool:
    """ISO 13616: the country's length, and 1 as the remainder of division by 97."""
    code = account.replace(" ", "")
    if len(code) != _IBAN_LENGTHS.get(code[:2]):
        return False
    return int("".join(str(int(letter, 36)) for letter in code[4:] + code[:4])) % 97 == 1


def _card(number: str) -> bool:
    """ISO 7812: Luhn's sum is a multiple of ten."""
    digits = [int(digit) for digit in reversed(_digits(number))]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    # Two different digits only: the number that everybody tests with, which is no one's.
    return len(set(digits)) > 2 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _always(found: str) -> bool:
    return True


# --- what of it is shown ---------------------------------------------------------------------


def _opening(found: str) -> str:
    return f"{found[:4]}... ({len(found)} characters)"


def _nothing(found: str) -> str:
    return f"... ({len(found)} characters)"


def _address(found: str) -> str:
    name, _, host = found.partition("@")
    return f"{name[0]}...@{host}"


def _ending(found: str) -> str:
    digits = [place for place, letter in enumerate(found) if letter.isalnum()]
    hidden = set(digits[2:-2])
    return "".join("*" if place in hidden else letter for place, letter in enumerate(found))


_ISSUED = r"""
    (?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}              # Amazon
  | gh[pousr]_[A-Za-z0-9]{36,} | github_pat_\w{22,}  # GitHub
  | glpat-[\w-]{20,}                                 # GitLab
  | xox[abeoprs]-[A-Za-z0-9-]{10,}                   # Slack
  | [sr]k_(?:live|test)_[A-Za-z0-9]{16,}             # Stripe
  | sk-[A-Za-z0-9_-]{20,}                            # OpenAI, Anthropic and those after them
  | AIza[\w-]{35} | GOCSPX-[\w-]{28} | ya29\.[\w-]{20,}  # Google
  | hf_[A-Za-z0-9]{30,} | gsk_[A-Za-z0-9]{40,} | r8_[A-Za-z0-9]{37,} | pplx-[A-Za-z0-9]{40,}
  | npm_[A-Za-z0-9]{36} | pypi-[\w-]{50,}
  | SG\.[\w-]{16,}\.[\w-]{16,} | shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}
  | dop_v1_[0-9a-f]{64} | dapi[0-9a-f]{32}
"""
_NAMED_KEY = (
    r"(?:api|access|secret|auth|private|account|client|encryption|signing)"
    r"[-_ ]?(?:key|token|secret)|bearer|token|secret"
)
_PHONE = r"""
    \+[1-9]\d{0,2}(?:[\s.()/-]{0,2}\d){7,12}                 # international
  | (?:\([2-9]\d\d\)\s?|\b[2-9]\d\d[-.])[2-9]\d\d[-.\s]\d{4}  # North American
  | [2-9]\d\d/[2-9]\d\d-\d{4}                               # the same as law firms write it
  | (?<!\d[ ])0\d{1,4}[\s/-]\d{3,4}[\s-]?\d{3,5}                      # with a national 0
"""
# Digits in one piece are a phone number where a word before them says so.
_ANNOUNCED = r"(?i:\b(?:call|tel|phone|telephone|mobile|fax|whatsapp|ring|dial))"
_CARD = (
    r"(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6011|65\d\d)(?:[ -]?\d{4}){3}|3[47]\d\d[ -]?\d{6}[ -]?\d{5}"
)


def _form(
    kind: Kind,
    needle: str,
    pattern: str,
    holds: Callable[[str], bool],
    masked: Callable[[str], str],
) -> _Form:
    flags = re.VERBOSE
    return _Form(kind, re.compile(needle), re.compile(pattern, flags), holds, masked)


_ISSUED_KEY = functools.partial(_varied, least=3.0)

_FORMS = (
    _form(
        "private key",
        "-----BEGIN",
        r"(?P<it>-----BEGIN[ ](?:[A-Z0-9]+[ ])*PRIVATE[ ]KEY(?:[ ]BLOCK)?-----)",
        _always,
        str,
    ),
    _form(
        "key",
        "AKIA|ASIA|ABIA|ACCA|gh[pousr]_|github_pat_|glpat-|xox|[sr]k[-_]|AIza|GOCSPX|ya29|hf_|gsk_"
        "|r8_|pplx|npm_|pypi-|SG\\.|shp|dop_|dapi",
        rf"(?<![A-Za-z0-9])(?P<it>{_ISSUED})",
        _ISSUED_KEY,
        _opening,
    ),
    _form(
        "token",
        "eyJ",
        r"(?<![\w-])(?P<it>eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,})",
        _ISSUED_KEY,
        _opening,
    ),
    _form(
        "key",
        "(?i)key|token|secret|bearer",
        rf"(?i:{_NAMED_KEY})[\"']?\s*(?:=>|[:=]|\s)\s*[\"']?(?P<it>[\w+/.~-]{{16,}}={{0,2}})",
        _drawn,
        _opening,
    ),
    _form(
        "password",
        "(?i)passw|pwd|passphrase",
        r"(?i:password|passwd|passphrase|pwd)[\"']?\s*(?:=>|[:=]|\bis\b)\s*[\"']?"
        r"(?P<it>[^\s\"',;]{8,64})",
        _chosen,
        _nothing,
    ),
    _form(
        "password",
        "://",
        r"[a-z][a-z0-9+.-]+://[^\s/:@]+:(?P<it>[^\s/@]{4,})@",
        functools.partial(_varied, least=2.0),
        _nothing,
    ),
    _form(
        "e-mail",
        "@",
        r"(?<![\w.%+-])(?P<it>[A-Za-z0-9](?:[\w.%+-]{0,62}[\w%+-])?"
        r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,24})(?![\w@])",
        _own_address,
        _address,
    ),
    _form(
        "IBAN",
        r"[A-Z]{2}\d\d",
        r"\b(?P<it>[A-Z]{2}\d\d(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?)\b",
        _iban,
        _ending,
    ),
    _form("card", r"\d{4}", rf"(?<![\w.+-])(?P<it>{_CARD})(?![\w-])", _card, _ending),
    _form(
        "social security",
        r"\d-\d\d-\d",
        r"(?<![\w-])(?P<it>(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4})(?![\w-])",
        _always,
        _ending,
    ),
    _form(
        "phone",
        r"\d{3}",
        rf"(?<![\w+.,/$€£-])(?P<it>{_PHONE})(?![\w/-]|[.,]\d)",
        _phone,
        _ending,
    ),
    _form(
        "phone",
        r"\d{8}",
        rf"{_ANNOUNCED}\W{{0,3}}(?:(?:me|us|on|at|now|no|number)\W{{1,2}}){{0,3}}(?P<it>\d{{8,12}})\b",
        _phone,
        _ending,
    ),
)
