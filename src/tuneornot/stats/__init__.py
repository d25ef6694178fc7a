"""Arithmetic on arrays; of the records it knows ``Estimate`` alone."""
