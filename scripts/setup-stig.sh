#!/bin/bash
# Sets the skill stig up for its tests where that is possible: Linux, root, Debian packages. Never fails: what is
# missing is printed, and the tests that need it skip. Packages are installed as root or in CI only, and it says so.
set -u
node=${1:-node}
tracemill="$node $(dirname "$0")/../bin/tracemill.js"

if $tracemill skill doctor stig > /dev/null 2>&1; then exit 0; fi
skip() { echo "stig: its tests will skip: $1"; exit 0; }
[ "$(uname -s)" = Linux ] || skip "not Linux"
[ "$(id -u)" = 0 ] || skip "not root (overlay mounts need it)"

missing=
for package in debootstrap bubblewrap; do
  dpkg -s "$package" > /dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
  command -v apt-get > /dev/null || skip "no apt-get to install$missing"
  echo "stig: installing$missing with apt-get, for the tests of the skill stig"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get -qq update && apt-get -qq install -y --no-install-recommends $missing > /dev/null; } || skip "apt-get failed"
fi
$tracemill skill setup stig || skip "the setup failed; \`tracemill skill doctor stig\` says what is missing"
