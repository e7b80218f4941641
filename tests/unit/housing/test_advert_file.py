"""adverts.yml is refused by field, with the fix, when it is wrong."""

import copy

import pytest
import yaml

from bot.config import ROOT
from bot.errors import ContentError
from bot.housing.advert_file import RULES, load_adverts

WHOLE = yaml.safe_load((ROOT / "knowledge" / "adverts.yml").read_text(encoding="utf-8"))


@pytest.fixture
def file(tmp_path):
    def write(change) -> None:
        content = copy.deepcopy(WHOLE)
        change(content)
        (tmp_path / "adverts.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        load_adverts.cache_clear()
        load_adverts(tmp_path)

    yield write
    load_adverts.cache_clear()


def test_the_real_file_has_a_sign_for_every_rule_and_a_source_for_what_is_not_our_advice(adverts) -> None:
    signs = adverts.file.signs

    assert sorted(sign.rule for sign in signs.values() if sign.rule) == sorted(RULES)
    assert [name for name, sign in signs.items() if sign.source is None] == [
        "pressure",
        "papers_first",
        "only_messages",
    ]


def _no_arabic(content) -> None:
    del content["signs"]["pressure"]["words"]["ar"]


def _unknown_source(content) -> None:
    content["signs"]["pressure"]["source"] = "hearsay"


def _two_of_a_rule(content) -> None:
    content["signs"]["pressure"]["rule"] = "rent_low"


def _found_by_nothing(content) -> None:
    content["signs"]["rent_low"]["rule"] = None


def _no_french(content) -> None:
    del content["signs"]["pressure"]["explanation"]["fr"]


def _empty_word(content) -> None:
    content["paid"]["en"] = ["..."]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_no_arabic, r"signs.pressure.words: .*give words in each of en, fr, es, pt, uk, ar, zh"),
        (_unknown_source, "the source hearsay is not in `sources`"),
        (_two_of_a_rule, "belongs to one sign"),
        (_found_by_nothing, r"signs.rent_low: .*give `words` or a `rule`"),
        (_no_french, r"signs.pressure.explanation.fr: Field required"),
        (_empty_word, r"paid: .*has no word in it"),
    ],
)
def test_a_wrong_file_is_refused_by_field(file, change, message: str) -> None:
    with pytest.raises(ContentError, match=message):
        file(change)


def test_a_right_file_is_read(file) -> None:
    file(lambda content: content["cities"].append("59130"))


def test_a_missing_file_is_said(tmp_path) -> None:
    with pytest.raises(ContentError, match="the file is missing"):
        load_adverts(tmp_path)
