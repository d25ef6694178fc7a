"""Studies that build their cases from data packages."""
