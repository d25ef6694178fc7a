"""Fine-tune, or keep a well-engineered prompt? Measured on your own cases."""

__version__ = "0.1.0"
