# SOPS, which keeps secrets in files under version control.
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with script/interop

needs=go
inputs=(client.sh)
is_slow=true

prepare() { GOBIN=$cache go install github.com/getsops/sops/v3/cmd/sops@v3.13.3; }

smoke() {
  local files
  files=$(mktemp -d "$work/sops.XXXXXX")
  HOME=$files SOPS_DISABLE_VERSION_CHECK=1 limited bash "$folder/smoke.sh" "$cache/sops" "$files"
}
