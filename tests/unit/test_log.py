"""What the libraries log themselves: where it went wrong, never what was said."""

import asyncio
import logging

from bot.log import PlacesOnly

SECRET = "amina@student.junia.com wrote 123456"


def formatted(message: str, error: Exception | None = None) -> str:
    try:
        if error is not None:
            raise error
    except Exception as raised:
        told = (type(raised), raised, raised.__traceback__)
        return PlacesOnly().format(logging.LogRecord("uvicorn.error", logging.ERROR, "", 1, message, (), told))
    return PlacesOnly().format(logging.LogRecord("uvicorn.error", logging.ERROR, "", 1, message, (), None))


def test_a_library_line_stays_as_it_is():
    assert formatted("Invalid HTTP request received.") == "ERROR uvicorn.error Invalid HTTP request received."


def test_an_exception_is_told_by_its_type_and_places_without_its_message():
    line = formatted("Exception in ASGI application\n", ValueError(SECRET))

    assert line.startswith("ERROR uvicorn.error Exception in ASGI application ValueError test_log.py:")
    assert SECRET not in line


def test_a_forgotten_task_does_not_tell_what_its_exception_said(caplog):
    async def forget() -> None:
        async def fail() -> None:
            raise ValueError(SECRET)

        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        del task

    asyncio.run(forget())
    lines = [PlacesOnly().format(record) for record in caplog.records]

    assert [line.partition(" ValueError ")[0] for line in lines] == ["ERROR asyncio Task exception was never retrieved"]
    assert SECRET not in lines[0]
