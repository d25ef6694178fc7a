from __future__ import annotations

import pytest

from tests.metrics.marking import mark, value
from tuneornot.errors import StudyError
from tuneornot.metrics import registry
from tuneornot.records import Json

SENTENCES = {
    "en": "The tenant shall return the keys on the last day of the lease.",
    "de": "Der Mieter gibt die Schlüssel am letzten Tag des Mietverhältnisses zurück.",
    "fr": "Le locataire rend les clés le dernier jour du bail.",
    "es": "El inquilino devolverá las llaves el último día del contrato.",
    "pl": "Najemca zwraca klucze w ostatnim dniu najmu.",
    "ru": "Арендатор возвращает ключи в последний день аренды.",
    "zh": "承租人应在租赁期的最后一天归还全部钥匙并且结清所有应付的费用。",
    "ja": "借主は賃貸借期間の最終日に鍵を返却しなければなりません。",
}


def test_each_sentence_is_in_its_language_and_in_no_other() -> None:
    metrics = {code: {"language": {"language": code}} for code in SENTENCES}
    for code, sentence in SENTENCES.items():
        right = [wanted for wanted, entry in metrics.items() if value(entry, sentence) == 1]
        assert right == [code]


def test_short_answers_are_not_judged() -> None:
    found = mark({"language": {"language": "en"}}, "Yes. 12345 67890 12345")
    assert found == (None, "3 letters are too few to tell the language")


def test_only_the_languages_that_can_occur_compete() -> None:
    entry: registry.Entry = {"language": {"language": "fr", "among": ["fr", "de"], "letters": 1}}
    assert value(entry, SENTENCES["es"]) == 1  # Spanish is nearer to French than to German
    assert value(entry, SENTENCES["de"]) == 0


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"language": "german"}, "one of the codes .*de.*, got 'german'"),
        ({"language": "de", "among": ["en"]}, "must hold the wanted language 'de'"),
        ({"language": "de", "among": ["de", "xx"]}, "got 'xx'"),
    ],
)
def test_unknown_languages_are_refused(settings: dict[str, Json], sentence: str) -> None:
    with pytest.raises(StudyError, match=sentence):
        registry.build({"language": settings})
