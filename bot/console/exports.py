"""What leaves the console as a file of its own."""

from fastapi import Response

from bot.bootstrap import Services
from bot.console.html import HEADERS
from bot.identity.audit import record
from bot.identity.staff import SignedIn


def exported(services: Services, signed_in: SignedIn, name: str, content: str | bytes, media_type: str) -> Response:
    """The file, to be saved under this name; that it was taken away is in the audit log."""
    with services.database.write() as session:
        record(session, "file_exported", staff_id=signed_in.staff.id, now=services.clock.now(), file=name)
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)
