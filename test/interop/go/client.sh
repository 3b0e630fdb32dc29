# The AWS SDK for Go v2; the standard library of Go checks what it gets.
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with script/interop

needs=go
inputs=(.)

prepare() { go build -C "$folder" -o "$cache/smoke" .; }

smoke() { limited "$cache/smoke"; }
