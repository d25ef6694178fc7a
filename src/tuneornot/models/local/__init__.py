"""Models in this process: any causal language model that transformers can load.

weights    what a name stands for, and its weights
model      requests to replies: the seam of ``models.base``
prefix     attention in two parts, the shared beginning once for all rows
prefixed   whole passes behind a kept beginning
batches    rows answered together, packed
plain      the fallback, padded, for models whose attention cannot be taken apart
rows       one answer under way, and how it ends
forms      what an answer may go on with where its form is given
adapters   attached without loading anything again
sentences  texts to vectors, by an encoder
"""

from tuneornot.models.local.model import LocalModel

__all__ = ["LocalModel"]
