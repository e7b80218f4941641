"""Published editions into the files of knowledge/, where the next release finds them."""

import tempfile
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.content.loader import Knowledge, Texts, topic_from
from bot.editing.models import Edition, Origin, State
from bot.editing.queries import files_of, gives_way, last_published, last_save
from bot.errors import ContentError, InvalidField
from bot.identity.audit import record


def export_editions(session: Session, knowledge: Knowledge, folder: Path, now: datetime) -> list[str]:
    """Write what students read and the files do not say yet into `folder`; returns the topics written.

    The editions are marked as exported in the caller's transaction: once the files have changed, the files count.

    Raises:
        InvalidField: the folder has no topics, or cannot be written to.
        ContentError: a text no longer follows the rules of knowledge/; nothing is written.
    """
    if not (folder / "topics").is_dir():
        raise InvalidField(f"{folder} has no folder topics/; give the folder knowledge of a checkout.", field="out")
    chosen = [(edition, dict(last_save(session, edition.id).texts)) for edition in _waiting(session, knowledge)]
    for edition, texts in chosen:
        topic_from(folder / "topics" / edition.slug, texts)
    for edition, texts in chosen:
        try:
            _write(folder / "topics" / edition.slug, texts)
        except OSError as error:
            raise InvalidField(f"{error.filename} cannot be written: {error.strerror}.", field="out") from error
        edition.exported_at = now
        record(session, "edition_exported", staff_id=None, now=now, topic=edition.slug, edition=edition.id)
    return [edition.slug for edition, _ in chosen]


def _waiting(session: Session, knowledge: Knowledge) -> list[Edition]:
    """The live editions that are not in the files yet, by topic."""
    slugs = session.scalars(
        select(Edition.slug).where(Edition.state == State.PUBLISHED).distinct().order_by(Edition.slug)
    ).all()
    found = [last_published(session, slug) for slug in slugs if slug in knowledge.topics]
    return [
        edition
        for edition in found
        if edition is not None
        and edition.origin != Origin.FILES
        and edition.exported_at is None
        and not gives_way(edition, files_of(knowledge, edition.slug))
    ]


def _write(folder: Path, texts: Texts) -> None:
    """Each file whole or not at all."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        if "/" in name or "\\" in name:
            raise ContentError(f"{name} is no name of a file of a topic.")
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, delete=False, newline="") as file:
            file.write(text)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(folder / name)
