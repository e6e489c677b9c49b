"""What the README says is what the code does."""

from __future__ import annotations

import re

from tests import dialects_page
from tests.readme import README, written


def test_the_tables_of_reasons_words_and_settings_are_those_of_the_code() -> None:
    text = README.read_text()
    assert text == written(text), "run `python -m tests.readme`"


def test_the_page_of_the_dialects_is_that_of_their_files() -> None:
    assert dialects_page.DOCUMENT.read_text(encoding="utf-8") == dialects_page.document(), (
        "run `python -m tests.readme`"
    )


def test_every_file_that_the_readme_points_at_is_there() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README.read_text())
    assert targets
    assert [target for target in targets if not (README.parent / target).exists()] == []
