#!/usr/bin/env bash
# Refuses, in one line each, a machine that cannot run tracemill; with --announce, says what the demo will cost.
set -euo pipefail

refuse() { echo "tracemill: $1" >&2; exit 2; }

case "$(uname -s)/$(uname -m)" in
  Linux/x86_64 | Linux/aarch64) ;;
  *) refuse "$(uname -s)/$(uname -m) is not supported yet; Linux on x86-64 or arm64 works, also in a virtual machine" ;;
esac

command -v node >/dev/null || refuse "Node is missing: install Node 20 or newer"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' \
  || refuse "Node $(node --version) is too old: Node 20 or newer is needed"

python=${PYTHON:-python3}
command -v "$python" >/dev/null || refuse "Python is missing: install Python 3.10 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
  || refuse "$("$python" --version) is too old: Python 3.10 or newer is needed (PYTHON=... chooses another)"
"$python" -c 'import venv, ensurepip' 2>/dev/null \
  || refuse "$python cannot make a virtual environment: apt-get install python3-venv"

if [ "${1:-}" = --announce ]; then
  if [ -e node_modules/.installed ] && [ -e .venv/.installed ]; then
    echo "Everything is installed already; the loop itself takes 15 to 25 minutes on two cores (QUICK=1: about 12, wider interval)."
  else
    echo "This downloads about 0.65 GB (0.25 GB npm packages, 0.4 GB Python packages with a CPU build of torch)"
    echo "and needs about 3 GB of disk under this folder. Where pip knows only PyPI it takes the torch with CUDA,"
    echo "several GB more; PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make demo spares that."
    echo "Time on two cores: about 5 minutes of installing, then 15 to 25 minutes for the loop (QUICK=1: about 12, wider interval)."
  fi
fi
