#!/usr/bin/env bash
# Writes the .lock files (exact versions and checksums of everything set-up installs for Python) from the .in files beside it.
# Run it after editing an .in file, or to take up newer versions of what those need: scripts/setup/python/lock.sh [--upgrade]
# One lock file serves CPython 3.10 to 3.14 on x86-64 and arm64 Linux.
set -euo pipefail
cd "$(dirname "$0")"
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check uv==0.13.8
export UV_CUSTOM_COMPILE_COMMAND='scripts/setup/python/lock.sh'
compile=("$tools/bin/uv" pip compile --quiet --no-config --universal --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links "$@")
"${compile[@]}" --python-version 3.10 --only-binary :all: jupyter.in -o jupyter.lock
# Only the shared libraries and headers are used: no dependencies, and the wheel for one Python version (scripts/setup/tensorflow.mjs).
for name in tensorflow-cpu tensorflow-cuda; do "${compile[@]}" --python-version 3.12 --no-deps "$name.in" -o "$name.lock"; done
