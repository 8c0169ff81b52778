"""docs/settings.md is what the definitions say."""

from bot import config_file
from tests.docs.settings import DOCUMENT, reference


def test_the_reference_is_what_the_definitions_give() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == reference(), "run python -m tests.docs.settings"


def test_every_key_of_the_configuration_file_has_a_meaning_and_no_other_has() -> None:
    assert list(config_file.MEANINGS) == [*config_file._TOP, *config_file._POOL]
