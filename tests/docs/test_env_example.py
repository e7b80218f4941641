from pydantic import SecretStr

from bot.config import ROOT, Settings


def test_the_example_lists_every_setting_with_its_sentence_and_default():
    expected: list[str] = []
    for name, field in Settings.model_fields.items():
        default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
        shown = default.relative_to(ROOT) if name == "data" else default
        expected += [f"# {field.description}", f"# ACCUEIL_{name.upper()}={shown}"]

    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines[2:] if line] == expected
