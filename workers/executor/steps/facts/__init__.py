"""`facts`: ask a target about itself."""

from workers.executor.steps.facts.plugin import FactsPlugin

__all__ = ["FactsPlugin"]
