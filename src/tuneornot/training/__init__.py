"""How a model is trained; with ``models.local`` the only place that imports torch."""
