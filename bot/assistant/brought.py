"""What is said to something that is not a text: a photo, a voice message, a place. Pure words."""

from dataclasses import dataclass

from bot.answers.words import person_button
from bot.conversations.brought import (
    ABOUT_OTHERS,
    FILES,
    MOST_FILES_A_DAY,
    MOST_MEGABYTES,
    MOST_MEGABYTES_A_DAY,
)
from bot.conversations.messages import Answer, Understanding
from bot.i18n.translate import mark, say

INTENT = "brought"

INSTEAD = {
    "photo": mark("I cannot look at pictures: I can only read text. Write me your question in a few words."),
    "document": mark("I cannot open documents: I can only read text. Write me your question in a few words."),
    "voice": mark("I cannot listen to voice messages. Write me your question, in your own language if you like."),
    "audio": mark("I cannot listen to audio files. Write me your question in a few words."),
    "video": mark("I cannot watch videos. Write me your question in a few words."),
    "sticker": mark("I cannot read stickers, but I like to help: write me your question."),
    "location": mark("I cannot use a place on a map. Write me the name of the place and what you want to know."),
    "contact": mark("I cannot use contacts. Write me your question in a few words."),
    "poll": mark("I cannot answer polls. Write me your question in a few words."),
    "other": mark("I can only read text. Write me your question in a few words."),
}


@dataclass(frozen=True)
class Thing:
    """What a message carries besides its words."""

    kind: str
    is_kept: bool
    """On its way to the office: a colleague had the conversation when it came."""
    is_large: bool
    was_told: bool = False
    """It belongs to an album of which another file came to the same end: that is said once."""
    is_over: bool = False
    """The conversation has brought as much as it may in a day."""

    @property
    def is_file(self) -> bool:
        return self.kind in FILES


def without_words(language: str, thing: Thing, *, is_waiting: bool) -> Answer | None:
    """The answer to something that came without a caption; None: that was said already."""
    if thing.was_told:
        return None
    understanding = Understanding(intent=INTENT, confidence=1.0, action="chat", group="small_talk")
    if thing.is_kept:
        return Answer(kept(language), understanding)
    sentences = [say(language, INSTEAD.get(thing.kind, INSTEAD["other"]))]
    if thing.kind in ABOUT_OTHERS:
        sentences.append(say(language, "I did not keep what you sent."))
    if not thing.is_file:
        return Answer(" ".join(sentences), understanding)
    rule = say(
        language,
        "I did not keep the file. A person of the office can take files of up to {limit} MB in this chat, once they "
        "have taken over.",
        limit=MOST_MEGABYTES,
    )
    buttons = () if is_waiting else (person_button(language),)
    return Answer(f"{' '.join(sentences)}\n\n{rule}", understanding, buttons=buttons)


def before_answer(language: str, thing: Thing) -> str:
    """The sentence before the answer to a caption; "" when there is nothing to say."""
    if thing.was_told:
        return ""
    if thing.is_kept:
        return kept(language)
    if thing.kind == "photo":
        return say(language, "I read your text only; I did not keep the picture.")
    return say(language, "I read your text only; I did not keep what came with it.")


def kept(language: str) -> str:
    return say(language, "Your file is with the office.")


def not_passed_on(language: str, thing: Thing) -> str | None:
    """The one thing that the machine still says while a colleague has the conversation; None: all is well."""
    if not thing.is_file or thing.is_kept or thing.was_told:
        return None
    if thing.is_large:
        return say(
            language,
            "This file was not passed on: it is larger than {limit} MB. Send a smaller one, please.",
            limit=MOST_MEGABYTES,
        )
    if thing.is_over:
        return say(
            language,
            "This file was not passed on: at most {files} files and {limit} MB a day can be sent here. Send it "
            "tomorrow, please.",
            files=MOST_FILES_A_DAY,
            limit=MOST_MEGABYTES_A_DAY,
        )
    # It came in the moment before the colleague took over.
    return say(language, "This file was not passed on. Send it again, please.")
