"""The variable is read by TensorFlow while it is imported, so only new processes can tell."""

import os
import subprocess
import sys

from harl_tf import onednn

VARIABLE = "TF_ENABLE_ONEDNN_OPTS"
SAYS = "import os; print('VALUE', os.environ['TF_ENABLE_ONEDNN_OPTS'])"
# By its file, so that a process does not wait for TensorFlow.
ALONE = f"import runpy; print('LATE', runpy.run_path({onednn.__file__!r})['too_late'])"
IMPORTED = "import sys; sys.modules['tensorflow'] = sys"


def say(*lines, **environment):
    kept = {key: value for key, value in os.environ.items() if key != VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_harl_tf_turns_it_on_before_it_imports_tensorflow():
    words = say("import harl_tf; print('LATE', harl_tf.onednn.too_late)", SAYS)
    assert words == ["LATE", "False", "VALUE", "1"]


def test_what_the_user_says_has_precedence():
    words = say(IMPORTED, ALONE, SAYS, **{VARIABLE: "0"})
    assert words == ["LATE", "False", "VALUE", "0"]


def test_it_knows_that_it_comes_too_late():
    assert say(IMPORTED, ALONE) == ["LATE", "True"]
