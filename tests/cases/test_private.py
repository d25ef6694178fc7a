from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneornot.cases import private
from tuneornot.records import Case

HEX = "0123456789abcdef"


def drawn(n: int, letters: str = string.ascii_letters + string.digits, *, seed: int = 0) -> str:
    rng = random.Random(f"{n} {letters} {seed}")
    return "".join(rng.choice(letters) for _ in range(n))


def kinds(text: str) -> list[str]:
    return [found.kind for found in private.find(text)]


# Made when the test runs: no scanner should take this file for a leak.
KEYS = {
    "key": [
        "AKIA" + drawn(16, string.ascii_uppercase + "234567"),
        "ghp_" + drawn(36),
        "github_pat_" + drawn(60),
        "sk-" + drawn(48),
        "sk-ant-api03-" + drawn(60),
        "sk_live_" + drawn(24),
        "hf_" + drawn(34),
        "AIza" + drawn(35),
        "xoxb-" + drawn(12, string.digits) + "-" + drawn(24),
        "glpat-" + drawn(20),
        "npm_" + drawn(36),
        "SG." + drawn(22) + "." + drawn(43),
    ],
    "token": ["eyJ" + drawn(20) + ".eyJ" + drawn(40) + "." + drawn(43)],
    "private key": ["-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----"],
}


@pytest.mark.parametrize(
    ("kind", "key"), [(kind, key) for kind, keys in KEYS.items() for key in keys]
)
def test_keys_are_known_by_their_prefixes_and_masked(kind: str, key: str) -> None:
    [found] = private.find(f"Set it to {key}, then start.")
    assert (found.kind, found.secret) == (kind, True)
    if kind != "private key":
        assert key[8:] not in found.excerpt
        assert found.excerpt.startswith(key[:4])


def test_values_named_a_key_count_if_they_look_drawn() -> None:
    random_values = [drawn(32, seed=seed) for seed in range(200)]
    random_values += [drawn(40, HEX, seed=seed) for seed in range(200)]
    found = sum(kinds(f'"api_key": "{value}"') == ["key"] for value in random_values)
    assert found >= 390
    for name in ["settings.production.token", "client-secret-from-vault", "get_the_secret_value"]:
        assert kinds(f"api_key = {name}") == []
    assert kinds("api_key = ${API_KEY_OF_PRODUCTION}") == []
    assert kinds("token: xxxxxxxxxxxxxxxxxxxxxxxx") == []
    assert kinds(f"the commit {drawn(40, HEX)} broke it") == []


def test_passwords() -> None:
    assert kinds("The password is Tr0ub4dor&3, do not tell") == ["password"]
    assert kinds("postgresql://admin:s3cretWord@db:5432/shop") == ["password"]
    assert kinds("password = os.environ['PASSWORD']") == []
    assert kinds("I forgot my password: please reset it") == []
    assert kinds("password: <your password>") == []
    assert "Tr0ub" not in private.find("password: Tr0ub4dor&3")[0].excerpt


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to jane.doe@acme-corp.de.", ["e-mail"]),
        ("write to jane@example.com or to a@b.test", []),
        ("the operator a @ b", []),
        ("call (206) 623-1900 now", ["phone"]),
        ("call +49 30 90182 4711", ["phone"]),
        ("FREEPHONE 0808 145 4742", ["phone"]),
        ("Please call now 08000930705", ["phone"]),
        ("ring 206-555-0123", []),
        ("410 U.S. 113 (1973), 93 S. Ct. 705", []),
        ("between 2021-05-06 and 2022-11-30, 100 200 300", []),
        ("invoice 20080930705", []),
        ("IBAN DE89 3704 0044 0532 0130 00", ["IBAN"]),
        ("GB82WEST12345698765432", ["IBAN"]),
        ("DE89 3704 0044 0532 0130 01", []),
        ("card 4539 1488 0343 6467", ["card"]),
        ("card 5500-0055-5555-5559", ["card"]),
        ("order 4539 1488 0343 6468, test with 4111 1111 1111 1111", []),
        ("SSN 536-22-1845", ["social security"]),
        ("part 000-22-1845 and 936-22-1845", []),
    ],
)
def test_data_about_persons(text: str, expected: list[str]) -> None:
    assert kinds(text) == expected


def test_checksums_against_every_change_of_one_digit() -> None:
    """Both sums promise to find any single wrong digit (ISO 7064 and ISO 7812)."""
    for good, kind in [("DE89370400440532013000", "IBAN"), ("378282246310005", "card")]:
        assert kinds(good) == [kind]
        for place in range(4, len(good)):
            for digit in string.digits.replace(good[place], ""):
                assert kind not in kinds(good[:place] + digit + good[place + 1 :])


def test_one_piece_is_told_once_and_where_it_stands() -> None:
    address = "j.smith@mail.acme.org"
    text = f"password: Ab12cd34! and {address}, {address}"
    first, second, third = private.find(text)
    assert [first.kind, second.kind, third.kind] == ["password", "e-mail", "e-mail"]
    assert text[second.start : second.end] == address
    assert second.excerpt == "j...@mail.acme.org"
    assert not second.secret


@given(st.text(max_size=300))
def test_any_text_is_read_and_findings_do_not_overlap(text: str) -> None:
    found = private.find(text)
    ends = [0, *(each.end for each in found)]
    assert all(each.start >= end for each, end in zip(found, ends, strict=False))


def test_long_texts_take_no_more_than_their_length() -> None:
    """Patterns that backtrack would not come back from these."""
    for unit in ["a.", "a@", "0 ", "(2", "key ", "+1 ", "A1 ", "eyJ", "://x:"]:
        assert private.find(unit * 20_000) is not None


def test_what_cases_hold_is_summed_by_kind_secrets_first() -> None:
    key = "ghp_" + drawn(36)
    cases = [
        Case(id="a", input="who is it?", expected="j.smith@acme.org or m.miller@acme.org"),
        Case(id="b", input="what is it?", context=f"GITHUB={key}", expected={"n": 1}),
        Case(id="c", input="m.miller@acme.org", expected=None),
    ]
    secret, personal = private.held(private.texts(cases))
    assert (secret.kind, secret.n, secret.n_texts, secret.id) == ("key", 1, 1, "b")
    assert (personal.kind, personal.n, personal.n_texts, personal.id) == ("e-mail", 3, 2, "a")
    assert key not in secret.told("train")
    assert "train" in secret.told("train")
