"""The desk of the staff: an API for other programs and the pages below /staff."""

from bot.console.api import staff_api_router
from bot.console.app import staff_pages_router

__all__ = ["staff_api_router", "staff_pages_router"]
