"""What goes wrong on purpose between the bot and Telegram: repeatable, from a seed. Pure."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

Kind = Literal["cut_before", "cut_after", "too_many", "status", "slow", "repeat", "delay", "shuffle"]
KINDS: tuple[Kind, ...] = ("cut_before", "cut_after", "too_many", "status", "slow", "repeat", "delay", "shuffle")
OF_UPDATES = frozenset({"repeat", "delay", "shuffle"})

Item = TypeVar("Item")


@dataclass
class Fault:
    """One thing that goes wrong.

    On calls of the bot: `cut_before` closes the connection before anything was done, `cut_after` when it was done but
    not answered; `too_many` answers 429 with `seconds` as retry_after; `status` answers with the code `status`; `slow`
    waits `seconds` first. On updates: `repeat` hands each over `count` times more, `delay` holds it back for `seconds`,
    `shuffle` mixes those that go out together, within windows of `count`.

    It strikes the next `times` chances (for ever when None), each with the likelihood `share`, in the methods and the
    chat named (all when empty or None), until `until`.
    """

    kind: Kind
    methods: tuple[str, ...] = ()
    chat: int | None = None
    times: int | None = None
    share: float = 1.0
    seconds: float = 1.0
    status: int = 500
    count: int = 1
    until: float | None = None
    seed: int = 0
    struck: int = 0
    draws: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no fault {self.kind!r}; choose one of {', '.join(KINDS)}")
        self.methods = tuple(method.lower() for method in self.methods)
        self.draws = random.Random(self.seed)

    def strikes(self, now: float, method: str = "", chat: int | None = None) -> bool:
        """Whether it goes wrong this time; counts it."""
        if self.until is not None and now > self.until:
            return False
        if self.times is not None and self.struck >= self.times:
            return False
        if self.methods and method.lower() not in self.methods:
            return False
        if self.chat is not None and chat != self.chat:
            return False
        # Drawn only when it could strike: what else the bot asks does not change the course.
        if self.share < 1 and self.draws.random() >= self.share:
            return False
        self.struck += 1
        return True


@dataclass
class Faults:
    known: list[Fault] = field(default_factory=list)

    def of_call(self, kind: Kind, now: float, method: str, chat: int | None) -> Fault | None:
        return next((each for each in self._kind(kind) if each.strikes(now, method, chat)), None)

    def of_update(self, kind: Kind, now: float, chat: int) -> Fault | None:
        return next((each for each in self._kind(kind) if each.strikes(now, chat=chat)), None)

    def mixed(self, updates: Sequence[Item], now: float) -> list[Item]:
        """In another order, when a shuffle strikes."""
        fault = next((each for each in self._kind("shuffle") if len(updates) > 1 and each.strikes(now)), None)
        if fault is None:
            return list(updates)
        mixed: list[Item] = []
        for start in range(0, len(updates), max(2, fault.count)):
            window = list(updates[start : start + max(2, fault.count)])
            fault.draws.shuffle(window)
            mixed += window
        return mixed

    def _kind(self, kind: Kind) -> Iterable[Fault]:
        return (each for each in self.known if each.kind == kind)
