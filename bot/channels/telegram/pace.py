"""How fast we may send: one message a second in a chat, thirty a second in all. Pure: the time is an argument.

Source: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

from collections import deque
from dataclasses import dataclass, field

PER_CHAT = 1.0
"""Seconds between two messages in one chat, counted from when the first was accepted."""
OVERALL = 30
"""Messages in `WINDOW` seconds, over all chats."""
WINDOW = 1.1
"""A little more than a second: what leaves us evenly may arrive in a bunch."""
FORGET = 10_000
"""Chats remembered before those whose wait is over are dropped."""


@dataclass
class Pace:
    """Times are seconds of one monotonic clock."""

    _next: dict[str, float] = field(default_factory=dict)
    _sent: deque[float] = field(default_factory=deque)

    def wait(self, chat: str, now: float) -> float:
        """Seconds until the next message may go to this chat; 0 when it may now."""
        self._forget(now)
        for_all = self._sent[0] + WINDOW - now if len(self._sent) >= OVERALL else 0.0
        return max(0.0, self._next.get(chat, 0.0) - now, for_all)

    def room(self, now: float) -> int:
        """How many messages may go out now, over all chats."""
        self._forget(now)
        return OVERALL - len(self._sent)

    def leaves(self, chat: str, now: float) -> None:
        """A message goes out; the chat is held until it has arrived."""
        self._sent.append(now)
        self._hold(chat, now + PER_CHAT)

    def arrived(self, chat: str, now: float) -> None:
        """Telegram has answered: it counts from when it got the message."""
        self._hold(chat, now + PER_CHAT)

    def blocked(self, chat: str, now: float, seconds: float) -> None:
        """Telegram asked to wait with this chat; the others go on."""
        self._hold(chat, now + seconds)

    def _hold(self, chat: str, until: float) -> None:
        self._next[chat] = max(until, self._next.get(chat, 0.0))

    def _forget(self, now: float) -> None:
        while self._sent and self._sent[0] <= now - WINDOW:
            self._sent.popleft()
        if len(self._next) > FORGET:
            self._next = {chat: until for chat, until in self._next.items() if until > now}
