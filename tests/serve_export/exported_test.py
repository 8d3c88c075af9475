"""What stands beside the model."""

from serve_export import exported, layout, model_card


def test_an_export_without_a_data_set_tells_nothing(tmp_path):
    told = exported.read(str(tmp_path))
    assert told == exported.Exported({}, {}, model_card.ATTRIBUTION)


def test_metrics_and_examples_are_read(tmp_path):
    (tmp_path / layout.METRICS).write_text(
        '{"classes": {"cat": {"drawings": 3, "top1": 0.5}}, "attribution": "me"}'
    )
    (tmp_path / layout.EXAMPLES).write_text(
        '{"word": "cat", "drawing": [[[1, 2], [3, 4]]]}\n'
    )
    told = exported.read(str(tmp_path))
    assert told == exported.Exported({"cat": 0.5}, {"cat": [[[1, 2], [3, 4]]]}, "me")
