"""Fine-tune, or keep a well-engineered prompt? Measured on your own cases."""

import time

__version__ = "0.1.0"

BEGUN = time.monotonic()
"""When this process turned to the package, before all that it loads; see ``time.monotonic``."""
