"""Metrics that ask a model: rubrics, preferences, claims."""
