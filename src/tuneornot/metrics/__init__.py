"""How one answer is judged: one file for each family of metrics."""
