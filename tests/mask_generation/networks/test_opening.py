import keras
import pytest
import tensorflow as tf

from mask_generation.networks.opening import (
    ModelError,
    check_source,
    explained,
    is_preset,
    one_thread_in_workers,
    open_keras,
)


def _saved(path):
    image = keras.Input((None, None, 3))
    keras.Model(image, keras.layers.AveragePooling2D(4)(image)).save(path)
    return path


def test_each_form_of_a_model_is_told_apart(tmp_path):
    file = _saved(tmp_path / "my.keras")
    (tmp_path / "export").mkdir()
    _saved(tmp_path / "export" / "backbone.keras")
    (tmp_path / "preset").mkdir()
    (tmp_path / "preset" / "config.json").write_text("{}")
    for path, preset in ((file, False), (tmp_path / "export", False), (tmp_path / "preset", True)):
        assert is_preset(check_source(path)) is preset
    for name in ("resnet_50_imagenet", "hf://keras/resnet", "kaggle://keras/resnet/keras/x"):
        assert is_preset(check_source(name))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path, "There is no model .*x. Expected a .keras file"),
        (lambda path: path.with_suffix(".keras"), r"There is no model .*x\.keras"),
        (lambda path: path.mkdir() or path, "holds no model. Expected backbone.keras"),
        (lambda path: path.write_text("a text") and path, "a file that ends in .keras. Received: "),
    ],
)
def test_path_without_a_model_is_known_before_keras_is_imported(tmp_path, make, sentence):
    with pytest.raises(ModelError, match=sentence):
        check_source(make(tmp_path / "x"))


def test_file_and_export_open_as_keras_models(tmp_path):
    _saved(tmp_path / "backbone.keras")
    for source in (tmp_path / "backbone.keras", tmp_path):
        assert open_keras(str(source)).output_shape == (None, None, None, 3)


def test_damaged_file_is_a_sentence_of_one_line(tmp_path):
    (tmp_path / "bad.keras").write_text("a text")
    with pytest.raises(ModelError, match=r"The model .*bad\.keras cannot be opened: ") as error:
        open_keras(str(tmp_path / "bad.keras"))
    assert "\n" not in str(error.value)


def test_long_reasons_are_cut_and_our_own_sentences_kept():
    with (
        pytest.raises(ModelError, match=r"^It failed: x{299}…\. Help\.$"),
        explained("It failed", "Help."),
    ):
        raise RuntimeError("x" * 1000)
    with pytest.raises(ModelError, match=r"^A sentence of ours$"), explained("It failed"):
        raise ModelError("A sentence of ours")
    with pytest.raises(ModelError, match=r"^It failed: KeyError\.$"), explained("It failed"):
        raise KeyError


def test_threads_of_a_process_of_the_users_own_are_left_alone():
    before = tf.config.threading.get_intra_op_parallelism_threads()
    with one_thread_in_workers():
        pass
    assert before != 1
    assert tf.config.threading.get_intra_op_parallelism_threads() == before
