"""Issues: which camera is in whose hands, since when, and until when.

The wearer is an id and never a name. A row is believed when custody holds `camera.issued` for it: what only
stands in this database is believed by nobody. Knows no camera; telling one is the work of `issuing`.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from sealhost.database import Database
from sealhost.errors import Refused
from sealhost.records import Actor, Issue
from sealhost.register.tables import issues

_BY_DOCKING = Actor("vault", "dock")


class Issues:
    """The part of the register that knows into whose hands a camera went."""

    _database: Database
    _custody: Any
    _clock: Callable[[], int]
    _issued: set[tuple[bytes, bytes]]
    _issues_to = 0  # entries of custody that were read so far

    def issue(
        self,
        device_id: bytes,
        issue16: bytes,
        officer: str,
        until_ms: int,
        kind: int,
        actor: Actor = _BY_DOCKING,
    ) -> Issue:
        """Write down that a camera goes to an officer; the same again changes nothing.

        Order of writes: the row, then custody; a row without its entry is believed by nobody, and the next
        run adds the entry. Refused while the camera is in other hands.
        """
        made = Issue(bytes(issue16), bytes(device_id), officer, kind, self._clock(), until_ms)
        with self._database.write("issue") as connection:
            open_rows = connection.execute(
                sa.select(issues).where(issues.c.device_id == made.device_id, issues.c.ended == 0)
            ).all()
            if any(self._is_issued(_issue(row)) and row.issue != made.issue for row in open_rows):
                raise Refused(f"camera {device_id.hex()[:16]} is issued already; dock or return it first")
            connection.execute(issues.insert().prefix_with("OR IGNORE"), vars(made))
        held = self._find(made.issue)
        if held is None or (held.device_id, held.officer, held.kind) != (made.device_id, officer, kind):
            raise Refused(f"issue {issue16.hex()} stands for something else")
        if self._custody is not None and not self._is_issued(held):
            detail = {"issue": held.issue.hex(), "officer": officer, "until": held.until, "kind": kind}
            self._custody.note("camera.issued", actor, held.device_id.hex(), **detail)
        return held

    def _find(self, issue16: bytes) -> Issue | None:
        with self._database.read() as connection:
            row = connection.execute(sa.select(issues).where(issues.c.issue == issue16)).first()
        return _issue(row) if row else None

    def _is_issued(self, issue: Issue) -> bool:
        """Whether custody holds `camera.issued` of this issue of this camera."""
        return self._custody is None or (issue.device_id, issue.issue) in self._custody_issues()

    def _custody_issues(self) -> set[tuple[bytes, bytes]]:
        """(device id, issue) of every `camera.issued`; entries are read once."""
        if not self._issues_to:
            self._issued = set()
        for entry in self._custody.entries(self._issues_to):
            self._issues_to = entry.n + 1
            if entry.event == "camera.issued":
                self._issued.add((bytes.fromhex(entry.subject), bytes.fromhex(str(entry.detail["issue"]))))
        return self._issued

    def told(self, issue16: bytes, utc_ms: int) -> None:
        """The camera itself answered that it holds this issue."""
        self._change(issue16, told=utc_ms)

    def end_issue(
        self,
        device_id: bytes,
        issue16: bytes,
        utc_ms: int,
        how: str = "docked",
        actor: Actor = _BY_DOCKING,
    ) -> bool:
        """An issue ended, by docking unless `how` says otherwise; whether this call ended it.

        Order of writes: custody, then the row: cut between, it is noted once more by the next run.
        An issue of zeros, one this register does not know and one that ended before change nothing.
        """
        found = self._find(bytes(issue16))
        if found is None or found.device_id != bytes(device_id) or found.ended or not self._is_issued(found):
            return False
        if self._custody is not None:
            detail = {"issue": found.issue.hex(), "how": how}
            self._custody.note("camera.returned", actor, found.device_id.hex(), **detail)
        self._change(found.issue, ended=utc_ms, how=how)
        return True

    def _change(self, issue16: bytes, **values: object) -> None:
        with self._database.write("issue changed") as connection:
            changed = issues.update().where(issues.c.issue == bytes(issue16))
            connection.execute(changed.values(**values))

    def current_issue(self, device_id: bytes) -> Issue | None:
        """Who has this camera now; None where nobody has."""
        return next((one for one in self.open_issues() if one.device_id == bytes(device_id)), None)

    def open_issues(self) -> list[Issue]:
        """Every camera that is out, the one due first first."""
        rule, order = issues.c.ended == 0, issues.c.until
        return [one for one in self._issues(rule, order) if self._is_issued(one)]

    def overdue(self, now_ms: int) -> list[Issue]:
        """Every camera that is out past the end of its issue."""
        return [one for one in self.open_issues() if one.until < now_ms]

    def issues_of(self, device_id: bytes) -> list[Issue]:
        """All issues of a camera, oldest first."""
        own = self._issues(issues.c.device_id == bytes(device_id), issues.c.since)
        return [one for one in own if self._is_issued(one)]

    def _issues(self, rule: Any, order: Any) -> list[Issue]:
        with self._database.read() as connection:
            rows = connection.execute(sa.select(issues).where(rule).order_by(order, issues.c.issue)).all()
        return [_issue(row) for row in rows]


def _issue(row: sa.Row) -> Issue:
    return Issue(**row._mapping)
