"""How a channel does, for the other edges: the page that offers it, the summary of the start."""

from dataclasses import dataclass
from typing import Literal

State = Literal["off", "starting", "on", "trouble"]


@dataclass
class ChannelStatus:
    """Kept up to date by the channel. `name`: the account that students see; `trouble`: one sentence with the fix."""

    state: State = "off"
    name: str = ""
    trouble: str = ""
