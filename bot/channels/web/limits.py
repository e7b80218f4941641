"""How often one address may open a conversation, one student tell that they type: guards against floods, in memory."""

from collections import deque
from datetime import datetime, timedelta

from bot.errors import TooMany

WINDOW = timedelta(minutes=1)
MOST_ADDRESSES = 10_000
TYPING_PER_MINUTE = 60
"""The widget tells it 20 times, from each page that shows the conversation."""


class AddressLimit:
    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._opened: dict[str, deque[datetime]] = {}

    def check(self, address: str, now: datetime) -> None:
        """Count one deed of this address. Raises TooMany over the limit, with the seconds to wait."""
        if len(self._opened) > MOST_ADDRESSES:
            self._opened.clear()
        opened = self._opened.setdefault(address, deque())
        while opened and opened[0] <= now - WINDOW:
            opened.popleft()
        if len(opened) >= self._per_minute:
            raise TooMany(retry_after=max(1, int((opened[0] + WINDOW - now).total_seconds()) + 1))
        opened.append(now)
