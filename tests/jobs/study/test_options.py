"""Options of a study."""

import pytest

from graticule.errors import OptionError
from graticule.jobs.study.options import StudyOptions


def test_a_study_needs_specimens_enough_for_intervals() -> None:
    StudyOptions().check()
    with pytest.raises(OptionError, match="--specimens 9: allowed are whole numbers from 10"):
        StudyOptions(specimens=9).check()


def test_options_belong_to_a_kind_of_study() -> None:
    StudyOptions(common=500, rare=50).check_for("particles")
    with pytest.raises(OptionError, match="--common, --rare: not for a study of nanowires; its own are --target"):
        StudyOptions(common=500, rare=50).check_for("nanowires")
    with pytest.raises(OptionError, match="--weights without --network"):
        StudyOptions(weights="none").check_for("particles")
