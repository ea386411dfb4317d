"""The garbage collector and what lives as long as the process."""

import gc

YOUNG_OBJECTS = 10_000
"""More objects made than freed before the young ones are looked through. What we make is freed by its counts;
at 700, as Python has it, a tenth of a busy worker's time went into looking for rings that were not there."""


async def spare_what_stays() -> None:
    """To be awaited once a process has started: what it has loaded is no garbage, and is not looked at again.

    Otherwise every full collection walks through some 200,000 objects of modules, routes and models, and all
    that the process does stands still for as long.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
