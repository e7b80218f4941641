"""Linking and unlinking as deeds of a turn."""

from collections.abc import Collection

from bot.conversations.deeds import Context, Deeds, Values
from bot.conversations.messages import Answer
from bot.identity.linking import ask_for_email, cancel_prompt, handle_prompt, unlink


def identity_deeds(mail_domains: Collection[str]) -> Deeds:
    """`mail_domains`: those of school mailboxes, lower case, without the @."""

    def take_address_or_code(context: Context, _prompt: Values, text: str) -> Answer | None:
        return handle_prompt(context.session, context.conversation, text, context.now, mail_domains=mail_domains)

    return Deeds(
        effects={
            "start_link": lambda context, _: ask_for_email(context.session, context.conversation, context.now),
            "unlink": lambda context, _: unlink(context.session, context.conversation, context.now),
            "cancel_prompt": lambda context, _: cancel_prompt(context.session, context.conversation, context.now),
        },
        prompts={"link_email": take_address_or_code, "link_code": take_address_or_code},
    )
