"""The fake's rules: each refusal of the Bot API, in its words, beside what it takes."""

import pytest

from tests.fakes.telegram_api.rules import (
    Refused,
    caption_text,
    commands,
    keyboard,
    kinds,
    language,
    message_text,
    parse_html,
    scope,
    secret,
    webhook,
)


def refusal(function, *arguments):
    with pytest.raises(Refused) as caught:
        function(*arguments)
    return caught.value.code, caught.value.description


def entity(kind, offset, length, **more):
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain", "plain", []),
        ("<b>a</b> &lt;b&gt; &amp; &quot;", 'a <b> & "', [entity("bold", 0, 1)]),
        ("<b>a<i>b</i></b>", "ab", [entity("bold", 0, 2), entity("italic", 1, 1)]),
        ("🙂<u>x</u>", "🙂x", [entity("underline", 2, 1)]),
        ('<a href="https://example.org/?a=1&amp;b=2">l</a>', "l", [
            entity("text_link", 0, 1, url="https://example.org/?a=1&b=2"),
        ]),
        ("<a href='mailto:a@example.org'>m</a>", "m", [entity("text_link", 0, 1, url="mailto:a@example.org")]),
        ("<a href='nowhere'>l</a>", "l", []),
        ('<pre><code class="language-python">x</code></pre>', "x", [entity("pre", 0, 1, language="python")]),
        ('<span class="tg-spoiler">s</span>', "s", [entity("spoiler", 0, 1)]),
        ("<blockquote expandable>q</blockquote>", "q", [entity("blockquote", 0, 1)]),
        ("<B>a</B>", "a", [entity("bold", 0, 1)]),
        ("\n <b>a</b> \n", "a", [entity("bold", 0, 1)]),
        ("<b></b>a", "a", []),
        ("1 > 0 &nbsp; &#233;&#xe9;", "1 > 0 &nbsp; éé", []),
    ],
)  # fmt: skip
def test_html_is_read_as_telegram_reads_it(source, text, entities):
    assert parse_html(source) == (text, entities)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("é<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("é<x>", 'Unsupported start tag "x" at byte offset 2'),
        ("1 < 2 >", 'Unsupported start tag "" at byte offset 2'),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("a<b", "Unclosed start tag at byte offset 1"),
        ("a<a href", 'Unclosed start tag "a" at byte offset 1'),
        ("a<i =x>", 'Empty attribute name in the tag "i" at byte offset 1'),
        ("a</b>", "Unexpected end tag at byte offset 1"),
        ("<i>a</b>", 'Unmatched end tag at byte offset 4, expected "</i>", found "</b>"'),
        ("<b><i>a</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<i>a</i", "Unclosed end tag at byte offset 4"),
        ("<span>a</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<p>a</p>", 'Unsupported start tag "p" at byte offset 0'),
        ("a<br/>b", 'Unsupported start tag "br/" at byte offset 1'),
    ],
)
def test_broken_html_is_refused_with_its_place(source, words):
    assert refusal(parse_html, source) == (400, f"Bad Request: can't parse entities: {words}")


def test_without_a_parse_mode_nothing_is_parsed():
    assert message_text("<b>1 < 2", "") == ("<b>1 < 2", [])


def test_an_empty_text_is_refused():
    assert refusal(message_text, "", "") == (400, "Bad Request: message text is empty")
    assert refusal(message_text, " \n", "") == (400, "Bad Request: text must be non-empty")
    assert refusal(message_text, "<b> </b>", "HTML") == (400, "Bad Request: text must be non-empty")
    assert message_text("a", "") == ("a", [])


def test_length_counts_after_the_tags_in_utf16_units():
    assert message_text(f"<b>{'x' * 4096}</b>", "HTML")[0] == "x" * 4096
    assert message_text("🙂" * 2048, "")[0] == "🙂" * 2048
    assert refusal(message_text, "x" * 4097, "HTML") == (400, "Bad Request: message is too long")
    assert refusal(message_text, "🙂" * 2048 + "x", "") == (400, "Bad Request: message is too long")


def test_a_caption_is_shorter_and_may_be_empty():
    assert caption_text("", "") == ("", [])
    assert caption_text("x" * 1024, "HTML") == ("x" * 1024, [])
    assert refusal(caption_text, "x" * 1025, "") == (400, "Bad Request: message caption is too long")


def test_an_unknown_parse_mode_is_refused_and_one_the_fake_cannot_check_is_said():
    assert message_text("a", "html") == ("a", [])
    assert refusal(message_text, "a", "BBCode") == (400, "Bad Request: unsupported parse_mode")
    assert refusal(message_text, "a", "MarkdownV2") == (
        501,
        "Not Implemented: the fake does not know parse_mode MarkdownV2",
    )


def one(**button):
    return {"inline_keyboard": [[button]]}


def test_a_keyboard_is_taken():
    wanted = {
        "inline_keyboard": [[{"text": "Yes", "callback_data": "x" * 64}], [{"text": "A", "url": "https://a.org"}]]
    }
    assert keyboard(wanted) == wanted
    assert keyboard(None) is None
    assert keyboard({"inline_keyboard": []}) is None


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        (one(text="A", callback_data="é" * 33), "BUTTON_DATA_INVALID"),
        (one(text="A", callback_data=""), "BUTTON_DATA_INVALID"),
        (one(text="A"), "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
        (one(callback_data="a"), 'can\'t parse inline keyboard button: Field "text" must be of type String'),
        (one(text=" ", callback_data="a"), "inline keyboard button text must be non-empty"),
        (one(text="A", url="nowhere"), "inline keyboard button URL is invalid: Wrong HTTP URL"),
        ([], "object expected as reply markup"),
        ({"inline_keyboard": {}}, 'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays'),
        ({"inline_keyboard": [{}]}, 'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays'),
        ({"inline_keyboard": [[{"text": "A", "callback_data": "a"}] * 9]}, "REPLY_MARKUP_TOO_LONG"),
        ({"inline_keyboard": [[{"text": "A", "callback_data": "a"}]] * 101}, "REPLY_MARKUP_TOO_LONG"),
    ],
)
def test_a_broken_keyboard_is_refused(markup, words):
    assert refusal(keyboard, markup) == (400, f"Bad Request: {words}")


def test_keyboards_the_fake_cannot_show_are_said():
    assert refusal(keyboard, {"keyboard": [["A"]]})[0] == 501
    assert refusal(keyboard, one(text="A", web_app={}))[0] == 501


def test_commands_have_limits():
    wanted = [{"command": "help", "description": "What I can do"}]
    assert commands(wanted) == wanted
    assert commands([{"command": "/help", "description": " x "}]) == [{"command": "help", "description": "x"}]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ({"command": "", "description": "x"}, "command must be non-empty"),
        ({"command": "x" * 33, "description": "x"}, "command length must not exceed 32"),
        ({"command": "Help", "description": "x"}, "BOT_COMMAND_INVALID"),
        ({"command": "my-data", "description": "x"}, "BOT_COMMAND_INVALID"),
        ({"command": "help", "description": ""}, "command description must be non-empty"),
        ({"command": "help", "description": "x" * 257}, "command description length must not exceed 256"),
    ],
)
def test_a_command_out_of_its_limits_is_refused(command, words):
    assert refusal(commands, [command]) == (400, f"Bad Request: {words}")


def test_too_many_commands_are_refused():
    assert len(commands([{"command": f"c{n}", "description": "x"} for n in range(100)])) == 100
    assert refusal(commands, [{"command": f"c{n}", "description": "x"} for n in range(101)])[0] == 400


def test_scopes_and_languages_of_commands():
    assert scope(None) == "default"
    assert scope({"type": "all_private_chats"}) == "all_private_chats"
    assert scope({"type": "chat", "chat_id": 7}) == "chat 7"
    assert refusal(scope, {"type": "everybody"}) == (400, "Bad Request: unsupported type specified")
    assert language("fr") == "fr"
    assert refusal(language, "fr-FR") == (400, "Bad Request: invalid language code specified")


def test_a_webhook_is_https_or_on_this_machine():
    assert webhook("https://example.org/telegram") == "https://example.org/telegram"
    assert webhook("http://127.0.0.1:8000/telegram") == "http://127.0.0.1:8000/telegram"
    assert refusal(webhook, "http://example.org/") == (
        400,
        "Bad Request: bad webhook: An HTTPS URL must be provided for webhook",
    )
    assert refusal(webhook, "https://example.org:8000/") == (
        400,
        "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
    )


def test_the_secret_of_a_webhook():
    assert secret("aZ_9-" * 51) == "aZ_9-" * 51
    assert refusal(secret, "a" * 257) == (400, "Bad Request: secret token is too long")
    assert refusal(secret, "a b") == (400, "Bad Request: secret token contains unallowed characters")


def test_an_empty_list_of_updates_is_all_but_those_sent_on_demand():
    assert kinds(["callback_query", "message", "unheard_of"]) == ("message", "callback_query")
    assert "chat_member" not in kinds([])
    assert kinds(["chat_member"]) == ("chat_member",)
