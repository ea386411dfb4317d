"""One plug-in per step type."""
