# boto3; the package `cryptography` checks what it gets.
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with script/interop

needs=python3
inputs=(requirements.txt)

prepare() { venv requirements.txt; }

smoke() { limited "$cache/bin/python" -B "$folder/smoke.py"; }
