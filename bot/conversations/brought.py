"""What may be kept of something that is not a text, under which name, and how the transcript shows it."""

import unicodedata
from hashlib import sha256

from bot.conversations.messages import Brought
from bot.i18n.translate import mark, say

FILES = frozenset({"photo", "document", "voice", "audio", "video"})
ABOUT_OTHERS = frozenset({"location", "contact", "poll"})
"""Where somebody is and who they know: nothing of it is kept while the bot has the conversation."""
MOST_MEGABYTES = 20
MOST_BYTES = MOST_MEGABYTES * 1024 * 1024
"""What the Bot API hands out to a bot."""
MOST_FILES_A_DAY = 40
MOST_MEGABYTES_A_DAY = 100
"""Of one conversation: four papers of ten photographed pages each, or five of the largest files. They lie in the
database, so that one chat must not fill it."""
LONGEST_NAME = 120
LONGEST_EXTERNAL = 300
LONGEST_SUMMARY = 300
JOINERS = "\u200c\u200d"
"""Marks inside words and emoji; nothing can be hidden behind them."""
UNKNOWN_TYPE = "application/octet-stream"
MEDIA_TYPES = frozenset(
    {
        "application/pdf",
        "application/msword",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "audio/mp4",
        "audio/mpeg",
        "audio/ogg",
        "image/gif",
        "image/heic",
        "image/jpeg",
        "image/png",
        "image/webp",
        "text/plain",
        "video/mp4",
        "video/quicktime",
    }
)
"""Files that are handed on under the type that the sender gives; nothing here runs in a browser."""
LINES = {
    "photo": mark("Photo"),
    "document": mark("Document"),
    "voice": mark("Voice message"),
    "audio": mark("Audio"),
    "video": mark("Video"),
    "sticker": mark("Sticker"),
    "location": mark("Location"),
    "contact": mark("Contact"),
    "poll": mark("Poll"),
    "other": mark("Something that is not text"),
}


def handed_over(name: str, media_type: str, content: bytes) -> Brought:
    """A file that comes with its bytes: a photo where it is an image of a known type, else a document."""
    clean, known_type = clean_name(name), media_type_of(media_type)
    is_photo = known_type.startswith("image/")
    return Brought(
        kind="photo" if is_photo else "document",
        name=clean,
        media_type=known_type,
        size=len(content),
        external="",
        summary=clean if is_photo else "",
        content=content,
        digest=sha256(f"{clean}\0{known_type}\0".encode() + content).hexdigest(),
    )


def is_too_large(brought: Brought) -> bool:
    return brought.kind in FILES and brought.size > MOST_BYTES


def can_be_kept(brought: Brought) -> bool:
    """A file that the channel has handed over or can hand over to us."""
    is_there = brought.content is not None or 0 < len(brought.external) <= LONGEST_EXTERNAL
    return brought.kind in FILES and is_there and not is_too_large(brought)


def clean_name(name: str) -> str:
    """A file's name without folders and without what a screen hides (control characters, turned directions).

    Never empty; a long one keeps its ending.
    """
    visible = clean_text(name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    if len(visible) > LONGEST_NAME:
        stem, dot, ending = visible.rpartition(".")
        tail = f"{dot}{ending}" if stem and len(ending) <= 10 else ""
        visible = visible[: LONGEST_NAME - len(tail)] + tail
    return visible or "file"


def clean_text(text: str) -> str:
    """One line of visible characters: no controls, no marks that turn the direction, no halves of characters."""
    spaced = " ".join(text.split())
    return "".join(
        each for each in spaced if each in JOINERS or unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Co")
    )


def media_type_of(given: str) -> str:
    """The type that a file is handed on under; what is not known to be harmless is plain bytes."""
    bare = given.partition(";")[0].strip().casefold()
    return bare if bare in MEDIA_TYPES else UNKNOWN_TYPE


def line_of(brought: Brought, language: str, *, is_with_staff: bool) -> str:
    """What the transcript shows instead of words: "[Document: scan.pdf]"."""
    kind = say(language, LINES.get(brought.kind, LINES["other"]))
    if brought.kind == "document":
        return f"[{kind}: {clean_name(brought.name)}]"
    is_shown = is_with_staff or brought.kind not in ABOUT_OTHERS
    summary = clean_text(brought.summary)[:LONGEST_SUMMARY] if is_shown else ""
    return f"[{kind}] {summary}".rstrip()
