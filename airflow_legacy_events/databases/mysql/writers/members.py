"""Members of the set that a run waits for, and whether they have ended."""

from __future__ import annotations

from typing import NamedTuple

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.databases.mysql.writers.listing import Listing
from airflow_legacy_events.databases.mysql.writers.rules import is_writing, may_commit
from airflow_legacy_events.databases.mysql.writers.transactions import Transaction

_TRANSACTION, _SESSION = "transaction", "session"


class Member(NamedTuple):
    """A transaction, or what a session does while it has no numbered one.

    Attributes:
        thread: number of the session; 0 for a prepared transaction whose session has left it.
        number: of the transaction; empty if it had none.
        started: see `Transaction.started`; empty if there was no transaction, or it has a number.
    """

    thread: int
    number: str = ""
    started: str = ""

    @classmethod
    def of(cls, thread: int, transaction: Transaction | None) -> Member:
        """Return the member for a session and its transaction."""
        if transaction is None:
            return cls(thread)
        if transaction.is_numbered:
            return cls(thread, transaction.id)
        return cls(thread, started=transaction.started or "")

    @classmethod
    def read(cls, text: str) -> Member:
        """Return the member that a text names.

        Raises:
            WatermarkError: it names none.
        """
        kind, thread, rest = (*text.split(":", 2), "", "")[:3]
        if not thread.isdecimal() or (kind, rest.isdecimal()) == (_TRANSACTION, False):
            raise WatermarkError(
                "the watermark's fact 'horizon' holds a transaction that can't be understood; nothing was read. Export"
                " the watermark, take the fact 'horizon' out, and import it"
            )
        return cls(int(thread), rest) if kind == _TRANSACTION else cls(int(thread), started=rest)

    def __str__(self) -> str:
        """Return the text that names it."""
        if self.number:
            return f"{_TRANSACTION}:{self.thread}:{self.number}"
        return f"{_SESSION}:{self.thread}:{self.started}"


class Judge:
    """Judges whether members have ended, from one listing to the next.

    Args:
        of_times: see `rules.may_commit`.
    """

    def __init__(self, *, of_times: bool) -> None:
        self._of_times = of_times
        self._ended: set[str] = set()
        self._missed: set[str] = set()
        self._bound: dict[str, Transaction] = {}
        self._left: dict[str, set[str]] = {}

    def forget(self, text: str) -> None:
        """Forget what was found out about a member, which a new look names."""
        self._ended.discard(text)
        self._missed.discard(text)
        self._bound.pop(text, None)
        self._left.pop(text, None)

    def is_open(self, text: str, listing: Listing, *, is_over: bool) -> bool:
        """Return whether a member has not ended.

        Args:
            text: that names it.
            listing: of the server.
            is_over: whether the server was restarted since: then only prepared transactions are left.
        """
        if text in self._ended:
            return False
        member = Member.read(text)
        is_open = self._has_number if member.number else self._has_none
        if is_open(text, member, listing, is_over=is_over):
            return True
        self._ended.add(text)
        return False

    def _has_number(self, text: str, member: Member, listing: Listing, *, is_over: bool) -> bool:
        found = next((one for one in listing.transactions if one.id == member.number), None)
        if found is None:
            return not is_over and self._is_at_its_end(text, member.thread, listing)
        return found.changed or may_commit(found.thread, listing, of_times=self._of_times)

    def _has_none(self, text: str, member: Member, listing: Listing, *, is_over: bool) -> bool:
        known = self._left.get(text)
        if known is None:
            if not is_over and self._has_session(text, member, listing):
                return True
            known = {one.id for one in listing.transactions if _may_have_left(member, one, listing)}
            self._left[text] = known  # one that is prepared later is not the member's
        return any(one.id in known for one in listing.transactions)

    def _has_session(self, text: str, member: Member, listing: Listing) -> bool:
        """Return whether the session is still in the statement or transaction of the look."""
        found = listing.of(member.thread)
        if member.started and listing.is_whole:
            if found is not None and found.started == member.started:
                return may_commit(member.thread, listing, of_times=self._of_times)
            return found is None and self._is_at_its_end(text, member.thread, listing)
        return self._goes_on(text, member, found, listing)

    def _goes_on(self, text: str, member: Member, found: Transaction | None, listing: Listing) -> bool:
        """Return whether a session is still in the statement of the look, or in a transaction begun by it."""
        before = listing.before.get(member.thread)
        is_running = before is not None and is_writing(before, found, of_times=self._of_times)
        if not is_running and (found is None or not found.changed):
            return False
        bound = self._bound.get(text)
        if bound is None:
            if found is not None:
                self._bound[text] = found
            return True
        if found is not None:
            return _may_be_same(bound, found)
        is_hidden = not (listing.is_whole or bound.is_numbered)
        return is_hidden or self._is_at_its_end(text, member.thread, listing)

    def _is_at_its_end(self, text: str, thread: int, listing: Listing) -> bool:
        """Return whether a transaction that is no longer listed may be in its last step, before its rows are visible.

        Its session is then in the statement that ends it; a step is over by the next listing.
        """
        client = listing.after.get(thread)
        if text in self._missed or client is None or listing.of(thread) is not None:
            return False
        self._missed.add(text)
        return is_writing(client, None, of_times=self._of_times)


def _may_have_left(member: Member, one: Transaction, listing: Listing) -> bool:
    """Return whether a prepared transaction without a session may be the member's."""
    is_prepared = one.changed and one.thread not in listing.before
    return is_prepared and (not member.started or one.started in (None, member.started))


def _may_be_same(first: Transaction, later: Transaction) -> bool:
    if first.is_numbered and later.is_numbered:
        return first.id == later.id
    return first.started is None or later.started is None or first.started == later.started
