"""`sealcam dock --watch`: a row of bays, each served by itself, as many at once as come."""

from sealhost.watch.row import MEET_S, Row
from sealhost.watch.serving import Parts
from sealhost.watch.spooled import take_in

__all__ = ["MEET_S", "Parts", "Row", "take_in"]
