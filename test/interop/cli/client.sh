# The AWS CLI as Debian packages it: a client of 2022, which knows nothing of what KMS got since then.
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with script/interop

needs=/usr/bin/aws
inputs=(client.sh)

prepare() { :; }

smoke() {
  local files
  files=$(mktemp -d "$work/cli.XXXXXX")
  # This CLI reads no endpoint from the environment.
  HOME=$files limited bash "$folder/smoke.sh" "$files" "$AWS_ENDPOINT_URL_KMS"
}
