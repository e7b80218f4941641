"""Linking, unlinking and leaving a joined conversation as deeds of a turn."""

from collections.abc import Collection

from bot.conversations.deeds import Context, Deeds, Values
from bot.conversations.messages import Answer
from bot.identity.joining import part_by_chat
from bot.identity.linking import ask_for_email, cancel_prompt, handle_prompt, unlink


def identity_deeds(mail_domains: Collection[str]) -> Deeds:
    """`mail_domains`: those of school mailboxes, lower case, without the @."""

    def take_address_or_code(context: Context, _prompt: Values, text: str) -> Answer | None:
        return handle_prompt(context.session, context.conversation, text, context.now, mail_domains=mail_domains)

    return Deeds(
        effects={
            "start_link": lambda context, _: ask_for_email(context.session, context.conversation, context.now),
            "unlink": lambda context, _: _unlink(context),
            "cancel_prompt": lambda context, _: cancel_prompt(context.session, context.conversation, context.now),
        },
        prompts={"link_email": take_address_or_code, "link_code": take_address_or_code},
    )


def _unlink(context: Context) -> Answer:
    """In a messenger that had joined the conversation of a page: the chat leaves. Else: the record is forgotten."""
    session, conversation, now = context.session, context.conversation, context.now
    return part_by_chat(session, conversation, now) or unlink(session, conversation, now)
