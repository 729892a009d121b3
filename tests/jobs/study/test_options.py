"""Options of a study."""

import pytest

from graticule.errors import OptionError
from graticule.jobs.study.options import StudyOptions


def test_a_study_needs_specimens_enough_for_intervals() -> None:
    StudyOptions().check()
    with pytest.raises(OptionError, match="--specimens 9: allowed are whole numbers from 10"):
        StudyOptions(specimens=9).check()
