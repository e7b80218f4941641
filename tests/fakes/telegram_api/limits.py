"""How much a bot may send, as Telegram counts it, and who went over it. Pure: "now" is an argument, in seconds.

Source: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

import math
from collections import Counter, deque
from dataclasses import dataclass, field

from tests.fakes.telegram_api.rules import Refused


@dataclass
class Limits:
    """`burst`: messages that one chat may get at once before it is one a second (Telegram lets short bursts pass)."""

    burst: int = 1
    per_second: int = 30
    group_per_minute: int = 20
    tolerance: float = 0.02
    """Seconds that the way of a request may vary."""

    violations: Counter[str] = field(default_factory=Counter)
    """How often the bot was too fast, by kind: chat, group, overall, impatient (before its retry_after was over)."""
    _due: dict[int, float] = field(default_factory=dict)
    _group: dict[int, deque[float]] = field(default_factory=dict)
    _all: deque[float] = field(default_factory=deque)
    _until: dict[int, float] = field(default_factory=dict)

    def tell_to_wait(self, chat: int, now: float, seconds: float) -> Refused:
        """429 for this chat; until the time is over every further message to it is refused as well."""
        self._until[chat] = max(self._until.get(chat, 0.0), now + seconds)
        left = max(1, math.ceil(self._until[chat] - now))
        return Refused(429, f"Too Many Requests: retry after {left}", retry_after=left)

    def check(self, chat: int, now: float, *, is_group: bool) -> None:
        """A message goes to a chat. Raises Refused (429)."""
        if now < self._until.get(chat, 0.0) - self.tolerance:
            self.violations["impatient"] += 1
            raise self.tell_to_wait(chat, now, 0)
        due = self._due.get(chat, now)
        if now < due - (self.burst - 1) - self.tolerance:
            self.violations["chat"] += 1
            raise self.tell_to_wait(chat, now, due - now)
        recent = self._recent(self._all, now, 1.0)
        if len(recent) >= self.per_second:
            self.violations["overall"] += 1
            raise self.tell_to_wait(chat, now, 1)
        if is_group:
            of_group = self._recent(self._group.setdefault(chat, deque()), now, 60.0)
            if len(of_group) >= self.group_per_minute:
                self.violations["group"] += 1
                raise self.tell_to_wait(chat, now, of_group[0] + 60 - now)
            of_group.append(now)
        self._due[chat] = max(due, now) + 1.0
        recent.append(now)

    def _recent(self, times: deque[float], now: float, window: float) -> deque[float]:
        while times and times[0] <= now - window + self.tolerance:
            times.popleft()
        return times
