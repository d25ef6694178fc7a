"""How cases and runs are written elsewhere."""
