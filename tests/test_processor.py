"""Who is warned of slow training, and of what."""

import pytest

import harl_tf
from harl_tf import onednn, processor
from tests.networks import tiny_hapicl

OLD, NEW = "fpu avx2", "fpu avx2 avx512_vnni avx512_bf16 avx512_fp16"


@pytest.fixture
def machine(monkeypatch, tmp_path):
    def be(flags, late=False):
        cpuinfo = tmp_path / "cpuinfo"
        if flags is not None:
            cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
        monkeypatch.setattr(processor, "_CPUINFO", cpuinfo)
        monkeypatch.setattr(onednn, "too_late", late)

    return be


@pytest.mark.parametrize(
    ("flags", "late", "warns"),
    [(OLD, True, True), (OLD, False, False), (NEW, True, False), (None, True, False)],
)
def test_warns_where_onednn_was_left_off(machine, recwarn, flags, late, warns):
    machine(flags, late)
    processor.warn_of_slow_training("float32")
    assert [onednn.VARIABLE in str(each.message) for each in recwarn] == [True] * warns


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize(("flags", "warns"), [(OLD, True), (NEW, False), (None, False)])
def test_warns_of_dtypes_that_are_emulated(machine, recwarn, flags, dtype, warns):
    machine(flags)
    processor.warn_of_slow_training(dtype)
    sentence = f"does not compute in {dtype}"
    assert [sentence in str(each.message) for each in recwarn] == [True] * warns


def test_fit_warns_at_the_line_that_called_it(machine, records):
    machine(OLD, late=True)
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    model = tiny_hapicl()
    model.run_eagerly = True
    with pytest.warns(UserWarning, match=onednn.VARIABLE) as found:
        model.fit(views, steps_per_epoch=1, verbose=0)
    assert found[0].filename == __file__
