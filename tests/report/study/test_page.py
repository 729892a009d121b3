"""The page of a study: the answer, every method, and no more than was done."""

from tests.report.study.study_document import NAMES, compared, study_document

from graticule.report.study.page import beside_limits, best_of, render_study, study_answer, study_cards


def test_the_answer_is_of_the_last_part_and_of_a_trained_model() -> None:
    document = study_document(compared("cross-validated"), compared("new"))
    words = study_answer(document)
    assert "60 drawn pictures of 12 specimens that nothing was trained on" in words
    assert "a model trained on" in words
    assert best_of(document["parts"][1])["name"] in ("orientation", "network", "both")
    assert "these pictures" in study_answer(study_document(compared("cross-validated"), drawn=False))


def test_a_method_without_training_that_errs_less_is_named() -> None:
    document = study_document(compared("new"))
    assert "Without any training" not in study_answer(document)
    methods = document["parts"][0]["methods"]
    mixture = next(row for row in methods if row["name"] == "mixture")
    mixture["mae"] = mixture["mae"] | {"value": 0.001}
    methods.sort(key=lambda row: row["mae"]["value"])
    assert "Without any training, tensor and mixture errs by 0.001" in study_answer(document)


def test_the_page_shows_every_method_and_is_inert() -> None:
    parts = [compared("cross-validated"), compared("new")]
    page = render_study(study_document(*parts), parts)
    assert page.count("LGO as the plug-in ships it") > 4
    assert "New specimens, scored once" in page
    assert "--out &lt;x&gt;" in page
    assert "The pictures are drawn" in page
    assert "floor 0.050" in page


def test_own_pictures_have_no_floor() -> None:
    part = compared("cross-validated")
    document = study_document(part, drawn=False)
    page = render_study(document, [part])
    assert "floor" not in page.lower().replace("floor</dt>", "")
    assert ("Floor", "–") in [card[:2] for card in study_cards(document)]
    assert len(NAMES) == 7


def test_figures_with_and_without_limits() -> None:
    assert beside_limits({"value": -0.1234, "low": None, "high": None}) == "−0.12"
    assert beside_limits({"value": 0.5, "low": 0.4, "high": 0.6}, 3) == "0.500 [0.400, 0.600]"
