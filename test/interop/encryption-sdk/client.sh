# The AWS Encryption SDK for Python, with its material providers.
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with script/interop

needs=python3
inputs=(requirements.txt)

prepare() { venv requirements.txt; }

smoke() { limited "$cache/bin/python" "$folder/smoke.py"; }
