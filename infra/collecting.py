"""The garbage collector and what lives as long as the process."""

import gc


async def spare_what_stays() -> None:
    """To be awaited once a process has started: what it has loaded is no garbage, and is not looked at again.

    Otherwise every full collection walks through some 200,000 objects of modules, routes and models, and all
    that the process does stands still for as long.
    """
    gc.collect()
    gc.freeze()
