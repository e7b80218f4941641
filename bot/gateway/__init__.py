"""The one ASGI app: public API, staff console, pages."""

from bot.gateway.app import build_app

__all__ = ["build_app"]
