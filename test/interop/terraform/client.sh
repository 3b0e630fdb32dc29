# What Terraform's AWS provider does: its library for credentials, and the calls of its resource aws_kms_key.
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with script/interop

needs=go
inputs=(.)

prepare() { go build -C "$folder" -o "$cache/smoke" .; }

smoke() { limited "$cache/smoke"; }
