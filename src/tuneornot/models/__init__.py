"""Who answers: one seam (``base``), one file for each kind of model."""
