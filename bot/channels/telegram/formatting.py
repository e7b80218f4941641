"""A reply of ours, written in Markdown, as messages that Telegram takes: its few HTML tags, its length. Pure."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import accumulate

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.conversations.messages import Source
from bot.i18n.formats import date_words
from bot.i18n.languages import BY_CODE, DEFAULT
from bot.i18n.translate import say

LONGEST = 4096
"""UTF-16 units of one message once the markup is taken away: https://core.telegram.org/bots/api#sendmessage."""
SHORT_LABEL = 18
"""Widest label of a button that shares its row; East Asian letters and emoji are twice as wide."""
DEEPEST = 60
"""Levels of lists and quotes inside one another. The parser drops what is deeper, so such a text stays as typed."""
INDENT = "    "
BULLET = "• "
RULE = "———"
BLANKS = " \n"
RIGHT_TO_LEFT_MARK, FIRST_STRONG_ISOLATE, END_OF_ISOLATE = "\u200f", "\u2068", "\u2069"
SENTENCE_END = re.compile(r"[.!?…؟][\"'”»)\]]*(?=[ \n])|[。！？]")
EMPTY_LETTERS = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs by category that show nothing; Telegram refuses a message made of them."""
SKIN_TONES = range(0x1F3FB, 0x1F400)
FLAG_LETTERS = range(0x1F1E6, 0x1F200)
TAG_LETTERS = range(0xE0020, 0xE0080)
ZERO_WIDTH_JOINER = "\u200d"

Styles = tuple[str, ...]
"""The tags around a text, the outermost first, each as written inside its opening brackets."""
Run = tuple[str, Styles]

# Staff type as in a mail: an indented line, `&nbsp;` or `[1]: https://…` is text for them and shows as typed, as in the
# widget; a line of dashes makes no heading of the line above.
_markdown = (
    MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST})
    .enable("table")
    .disable(["code", "lheading", "reference", "entity", "image"])
)


@dataclass(frozen=True)
class Part:
    """One message. `plain` is the same text without markup, for a second try when Telegram refuses the markup."""

    html: str
    plain: str


@dataclass
class _Writer:
    runs: list[Run] = field(default_factory=list)
    gap: Run = ("", ())
    """Line breaks that come before the next text, if any comes."""

    def write(self, text: str, styles: Styles = ()) -> None:
        if not text:
            return
        if self.runs and self.gap[0]:
            self.runs.append(self.gap)
        self.gap = ("", ())
        self.runs.append((text, styles))

    def leave(self, gap: str, styles: Styles = ()) -> None:
        """`styles`: those of the block around the gap. Of several gaps the widest counts."""
        if len(gap) > len(self.gap[0]):
            self.gap = (gap, styles)


def parts_of(markdown: str, sources: Sequence[Source] = (), *, language: str, most: int = LONGEST) -> tuple[Part, ...]:
    """The messages of a reply, in order; none when it has nothing to show.

    Args:
        markdown: as the other channels get it; HTML in it shows as text.
        sources: end the last message, as links.
        language: the reader's, for the words around the sources.
        most: UTF-16 units of one message, at least 2.
    """
    writer = _Writer()
    _write_markdown(writer, _without_half_letters(markdown))
    _write_sources(writer, sources, language)
    text = "".join(text for text, _ in writer.runs)
    return tuple(
        Part(_html(_slice(writer.runs, start, end)), text[start:end])
        for start, end in _ranges(text, most)
        if _is_visible(text[start:end])
    )


def keyboard_rows(labels: Sequence[str]) -> list[list[int]]:
    """Which buttons share a row, by index: two short ones that follow one another, else one alone."""
    rows: list[list[int]] = []
    for index, label in enumerate(labels):
        is_short = _width(label) <= SHORT_LABEL
        if rows and is_short and len(rows[-1]) == 1 and _width(labels[rows[-1][0]]) <= SHORT_LABEL:
            rows[-1].append(index)
        else:
            rows.append([index])
    return rows


# From Markdown to runs of text


def _write_markdown(writer: _Writer, markdown: str) -> None:
    tokens = _markdown.parse(markdown)
    if any(token.level >= DEEPEST - 1 for token in tokens):
        writer.write(markdown)
    else:
        _write_blocks(writer, SyntaxTreeNode(tokens).children, ())


def _write_blocks(writer: _Writer, blocks: Sequence[SyntaxTreeNode], styles: Styles, gap: str = "\n\n") -> None:
    for index, block in enumerate(blocks):
        if index:
            writer.leave(gap, styles)
        _write_block(writer, block, styles)


def _write_block(writer: _Writer, block: SyntaxTreeNode, styles: Styles) -> None:
    match block.type:
        case "heading":
            _write_inline(writer, block.children, _within(styles, "b"))
        case "bullet_list" | "ordered_list":
            _write_list(writer, block, styles)
        case "blockquote":
            _write_blocks(writer, block.children, _within(styles, "blockquote"))
        case "table":
            _write_table(writer, block, styles)
        case "fence":
            writer.write(block.content.rstrip("\n"), _as_code(styles, "pre"))
        case "hr":
            writer.write(RULE, styles)
        case _:
            _write_inline(writer, block.children, styles)


def _write_list(writer: _Writer, items: SyntaxTreeNode, styles: Styles) -> None:
    is_loose = any(child.type == "paragraph" and not child.hidden for item in items.children for child in item.children)
    gap = "\n\n" if is_loose else "\n"
    first = int(items.attrs.get("start", 1))
    depth = sum(above.type == "list_item" for above in _above(items))
    for index, item in enumerate(items.children):
        if index:
            writer.leave(gap, styles)
        writer.write(INDENT * depth + (f"{first + index}. " if items.type == "ordered_list" else BULLET), styles)
        if item.children and item.children[0].type not in ("paragraph", "heading"):
            writer.leave("\n", styles)
        _write_blocks(writer, item.children, styles, gap)


def _above(node: SyntaxTreeNode) -> Iterator[SyntaxTreeNode]:
    while node.parent is not None:
        node = node.parent
        yield node


def _write_table(writer: _Writer, table: SyntaxTreeNode, styles: Styles) -> None:
    for index, row in enumerate(row for section in table.children for row in section.children):
        if index:
            writer.leave("\n", styles)
        for column, cell in enumerate(row.children):
            inside = _within(styles, "b") if cell.type == "th" else styles
            writer.write(" — " if column else "", inside)
            _write_inline(writer, cell.children, inside)


def _write_inline(writer: _Writer, nodes: Sequence[SyntaxTreeNode], styles: Styles) -> None:
    for node in nodes:
        match node.type:
            case "softbreak" | "hardbreak":
                writer.write("\n", styles)
            case "strong":
                _write_inline(writer, node.children, _within(styles, "b"))
            case "em":
                _write_inline(writer, node.children, _within(styles, "i"))
            case "code_inline":
                writer.write(node.content, _as_code(styles, "code"))
            case "link":
                _write_link(writer, node, styles)
            case "inline":
                _write_inline(writer, node.children, styles)
            case _:
                writer.write(node.content, styles)


def _write_link(writer: _Writer, link: SyntaxTreeNode, styles: Styles) -> None:
    """Telegram follows web addresses only; mail addresses and numbers are shown, it finds them in a text by itself."""
    href = str(link.attrs.get("href", ""))
    inside = _within(styles, _anchor(href)) if _is_web(href) else styles
    before = len(writer.runs)
    _write_inline(writer, link.children, inside)
    label = "".join(text for text, _ in writer.runs[before:])
    address = href.removeprefix("mailto:").removeprefix("tel:")
    if not _is_visible(label):
        writer.write(address, inside)
    elif not _is_web(href) and _letters_of(address) not in _letters_of(label):
        writer.write(f" ({address})", styles)


def _write_sources(writer: _Writer, sources: Sequence[Source], language: str) -> None:
    if not sources:
        return
    writer.leave("\n\n")
    writer.write(say(language, "Sources ({count})", count=len(sources)))
    is_rtl = BY_CODE.get(language, BY_CODE[DEFAULT]).direction == "rtl"
    for source in sources:
        dates = [say(language, "checked on {date}", date=date_words(source.checked_on, language))]
        if source.valid_until is not None:
            dates.append(say(language, "holds until {date}", date=date_words(source.valid_until, language)))
        # A French title at its start would turn an Arabic line around.
        before, after = (RIGHT_TO_LEFT_MARK + BULLET + FIRST_STRONG_ISOLATE, END_OF_ISOLATE) if is_rtl else (BULLET, "")
        writer.leave("\n")
        writer.write(before)
        writer.write(_without_half_letters(source.title), (_anchor(source.url),) if _is_web(source.url) else ())
        writer.write(" · ".join((after, *dates)))


def _is_web(address: str) -> bool:
    return address.lower().startswith(("http://", "https://"))


def _anchor(address: str) -> str:
    return f'a href="{escape(address)}"'


def _within(styles: Styles, style: str) -> Styles:
    """One tag more; a second of its kind changes nothing, and Telegram refuses a quote within a quote."""
    tags = [each.split()[0] for each in styles]
    return styles if style.split()[0] in tags else (*styles, style)


def _as_code(styles: Styles, tag: str) -> Styles:
    """Code takes no other style; a link keeps its address rather than its letters."""
    link = tuple(style for style in styles if style.startswith("a "))
    return (*(style for style in styles if style == "blockquote"), *(link or (tag,)))


def _letters_of(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _without_half_letters(text: str) -> str:
    """Surrogates without their other half cannot be sent."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


# From runs to HTML


def _slice(runs: Sequence[Run], start: int, end: int) -> Iterator[Run]:
    at = 0
    for text, styles in runs:
        piece = text[max(start - at, 0) : max(end - at, 0)]
        at += len(text)
        if piece:
            yield piece, styles


def _html(runs: Iterator[Run]) -> str:
    pieces: list[str] = []
    opened: Styles = ()
    for text, styles in (*runs, ("", ())):
        shared = _shared(opened, styles)
        pieces += [f"</{style.split()[0]}>" for style in reversed(opened[shared:])]
        pieces += [f"<{style}>" for style in styles[shared:]]
        pieces.append(escape(text, quote=False))
        opened = styles
    return "".join(pieces)


def _shared(one: Styles, other: Styles) -> int:
    """How many tags both have, counted from the outermost."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


# Where a long text is cut


def _ranges(text: str, most: int) -> Iterator[tuple[int, int]]:
    """Start and end of each part; the blanks between two parts belong to none."""
    units = list(accumulate((2 if ord(letter) > 0xFFFF else 1 for letter in text), initial=0))
    start, last = _next_start(text, 0), len(text.rstrip(BLANKS))
    while start < last:
        reach = bisect_right(units, units[start] + most) - 1
        end = last if reach >= last else _border(text, start, reach)
        yield start, start + len(text[start:end].rstrip(BLANKS))
        start = _next_start(text, end)


def _next_start(text: str, at: int) -> int:
    """Past the blanks; those that indent a line stay."""
    blanks = len(text) - at - len(text[at:].lstrip(BLANKS))
    line = text.rfind("\n", at, at + blanks)
    return line + 1 if line >= 0 else at + blanks


def _border(text: str, start: int, reach: int) -> int:
    """The last border up to `reach`: of a paragraph, else of a line, a sentence, a word, a letter."""
    for mark in ("\n\n", "\n"):
        if (at := text.rfind(mark, start + 1, reach + len(mark))) > 0:
            return at
    sentences = [match.end() for match in SENTENCE_END.finditer(text, start, reach + 1)]
    if ends := [end for end in sentences if end <= reach]:
        return ends[-1]
    if (at := text.rfind(" ", start + 1, reach + 1)) > 0:
        return at
    return next((at for at in range(reach, start, -1) if not _is_inside_letter(text, at)), reach)


def _is_inside_letter(text: str, at: int) -> bool:
    """Whether what a reader sees as one letter, flag or face lies on both sides of `at`."""
    before, after = text[at - 1], text[at]
    if ord(after) in FLAG_LETTERS:
        flags = at
        while flags and ord(text[flags - 1]) in FLAG_LETTERS:
            flags -= 1
        return (at - flags) % 2 == 1
    return (
        ZERO_WIDTH_JOINER in (before, after)
        or unicodedata.category(after).startswith("M")
        or ord(after) in SKIN_TONES
        or ord(after) in TAG_LETTERS
    )


def _is_visible(text: str) -> bool:
    return any(
        unicodedata.category(letter) not in ("Zs", "Zl", "Zp", "Cc", "Cf") and letter not in EMPTY_LETTERS
        for letter in text
    )


def _width(label: str) -> int:
    return sum(_letter_width(letter) for letter in label)


def _letter_width(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
