"""Telegram as a whole: real processes, killed while many students write. `make proof` runs a long one."""

from pathlib import Path

import pytest

from bot.answers.trained import current_model
from bot.config import load_settings
from bot.errors import ConfigurationError
from tests.e2e.storm import storm

pytestmark = [pytest.mark.engine]


@pytest.mark.parametrize("mode", ["polling", "webhook"])
def test_no_message_is_lost_or_out_of_order_while_the_gateway_is_killed(tmp_path: Path, mode: str):
    models = load_settings().data / "models"
    try:
        current_model(models)
    except ConfigurationError as error:
        pytest.skip(str(error))

    figures = storm(
        messages=80, chats=12, rate=6.0, kill_every=8.0, faults=True, mode=mode, models=models, folder=tmp_path
    )

    assert (figures.answered, figures.lost, figures.out_of_order, figures.violations) == (80, 0, 0, {})
    assert figures.repeats <= figures.kills
    assert figures.kills >= 1
