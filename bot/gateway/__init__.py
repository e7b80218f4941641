"""The one ASGI app: public API, staff console, pages."""

from bot.gateway.app import build_app, make_ready

__all__ = ["build_app", "make_ready"]
