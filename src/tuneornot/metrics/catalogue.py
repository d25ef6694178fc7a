"""The built-in metrics by the names that a study gives them, in the order of the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuneornot.metrics.abstention import Answered, Declines
from tuneornot.metrics.choice import Choice, OneOf
from tuneornot.metrics.citations import Citations
from tuneornot.metrics.classes import MacroF1
from tuneornot.metrics.codes import Codes
from tuneornot.metrics.confidence import Brier, ConfidentWrong
from tuneornot.metrics.fields import FieldF1, FieldMatch
from tuneornot.metrics.form import JsonSchema, JsonValid, Length, Regex
from tuneornot.metrics.glossary import ForbiddenTerms, Glossary
from tuneornot.metrics.grounding import LexicalSupport, NameSupport, NumberSupport
from tuneornot.metrics.judges.claims import AnswerRelevancy, Faithfulness
from tuneornot.metrics.judges.prefer import Prefer
from tuneornot.metrics.judges.rubric import Rubric
from tuneornot.metrics.language import Language
from tuneornot.metrics.likeness import EditSimilarity, Rouge, TokenF1
from tuneornot.metrics.numbers import Numeric
from tuneornot.metrics.reference import Contains, ExactMatch, NormalisedMatch
from tuneornot.metrics.refusal import Refuses
from tuneornot.metrics.sections import Sections
from tuneornot.metrics.semantic import SemanticSimilarity
from tuneornot.metrics.sql_result import SqlResult
from tuneornot.metrics.translation import Bleu, Chrf, CorpusBleu, CorpusChrf
from tuneornot.metrics.wellformed import WellFormed

BUILT_IN: Mapping[str, type[Any]] = {
    "exact_match": ExactMatch,
    "normalised_match": NormalisedMatch,
    "contains": Contains,
    "numeric": Numeric,
    "choice": Choice,
    "macro_f1": MacroF1,
    "token_f1": TokenF1,
    "rouge": Rouge,
    "edit_similarity": EditSimilarity,
    "semantic_similarity": SemanticSimilarity,
    "bleu": Bleu,
    "corpus_bleu": CorpusBleu,
    "chrf": Chrf,
    "corpus_chrf": CorpusChrf,
    "sql_result": SqlResult,
    "glossary": Glossary,
    "forbidden_terms": ForbiddenTerms,
    "codes": Codes,
    "citations": Citations,
    "field_match": FieldMatch,
    "field_f1": FieldF1,
    "json_valid": JsonValid,
    "json_schema": JsonSchema,
    "well_formed": WellFormed,
    "one_of": OneOf,
    "sections": Sections,
    "regex": Regex,
    "length": Length,
    "language": Language,
    "lexical_support": LexicalSupport,
    "number_support": NumberSupport,
    "name_support": NameSupport,
    "declines": Declines,
    "answered": Answered,
    "refuses": Refuses,
    "confident_wrong": ConfidentWrong,
    "brier": Brier,
    "judge": Rubric,
    "prefer": Prefer,
    "faithfulness": Faithfulness,
    "answer_relevancy": AnswerRelevancy,
}
