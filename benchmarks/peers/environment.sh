#!/usr/bin/env bash
# Makes the environment of what harl_tf is timed against. Several gigabytes.
#   bash benchmarks/peers/environment.sh [FOLDER]
set -euo pipefail
folder=${1:-.venv-peers}
here=$(cd "$(dirname "$0")" && pwd)
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet -r "$here/requirements.txt"
"$folder/bin/python" -c "import torch, torchvision, lightly, timm; print(torch.__version__, torchvision.__version__, lightly.__version__, timm.__version__)"
