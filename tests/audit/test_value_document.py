"""audit.json of numbers: its order, and that nothing of classes stands in it."""

from tests.audit.value_clean import value_document

from graticule.audit.value_document import ValueAuditDocument


def test_the_json_is_complete_says_its_task_and_holds_no_classes() -> None:
    told = value_document().to_json()
    assert set(told) == set(ValueAuditDocument.model_fields)
    names = list(told)
    assert names[:2] == ["verb", "task"]
    assert told["task"] == "regression"
    assert names.index("target") == names.index("n_synthetic") + 1
    assert not {"classes", "shortcuts", "associations", "n_unlabelled"} & set(names)
    assert ValueAuditDocument.model_validate(told) == value_document()
