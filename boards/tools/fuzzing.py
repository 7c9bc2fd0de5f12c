"""How often and from which seed a reader is fuzzed: one decorator for both halves.

FUZZ_EXAMPLES says how many examples each; FUZZ_SEED=fresh takes other ones than the run before, and prints
what a failure needs to be tried again, to be committed as an @example. FUZZ_SECONDS is how long one that
lasts goes on, with other examples each time. Imports nothing of ours.
"""

import functools
import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "2000"))
SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
FRESH = os.environ.get("FUZZ_SEED") == "fresh"
FEWEST = 20


def fuzzed(share: int = 1) -> Callable[[Any], Any]:
    """Mark a `@given` test as fuzz; one that is slow takes one in `share` of the examples."""
    chosen = settings(
        max_examples=max(FEWEST, EXAMPLES // share),
        derandomize=not FRESH,
        print_blob=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )

    def decorate(test: Any) -> Any:
        return pytest.mark.fuzz(chosen(test))

    return decorate


def lasting(share: int = 1) -> Callable[[Any], Any]:
    """The same, and again until FUZZ_SECONDS are over; fresh examples only are others each time."""

    def decorate(test: Any) -> Any:
        once = fuzzed(share)(test)

        @functools.wraps(once)
        def going_on(*given: Any, **named: Any) -> None:
            until = time.monotonic() + SECONDS
            once(*given, **named)
            while FRESH and time.monotonic() < until:
                once(*given, **named)

        return going_on

    return decorate
