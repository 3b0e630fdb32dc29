#!/usr/bin/env bash
# smoke.sh SOPS FOLDER: encrypts and decrypts a file in FOLDER with keys of the server of the environment.
set -uo pipefail
sops=$1
root=$(cd "$(dirname "$0")/../../.." && pwd)
cd "$2" || exit
printf 'database:\n    user: app\n    password: a secret of the smoke\n' >plain.yaml

# kms OPERATION INPUT: calls the server; prints the ARN of the key in the answer, if there is one.
kms() {
  (cd "$root" && node --no-warnings --input-type=module -e '
    const sdk = await import("@aws-sdk/client-kms");
    const [operation, input] = process.argv.slice(1);
    const answer = await new sdk.KMSClient().send(new sdk[`${operation}Command`](JSON.parse(input)));
    console.log(answer.KeyMetadata?.Arn ?? "");
  ' "$1" "$2")
}

encrypts_and_decrypts() {
  "$sops" encrypt --kms "$first" --encryption-context tenant:42 plain.yaml >sealed.yaml || return
  ! grep -q 'a secret of the smoke' sealed.yaml && grep -q "$first" sealed.yaml || return
  "$sops" decrypt sealed.yaml | cmp - plain.yaml
}

rotates_to_another_key() {
  "$sops" rotate --add-kms "$second" --rm-kms "$first" --encryption-context tenant:42 sealed.yaml >moved.yaml || return
  ! grep -q "$first" moved.yaml && "$sops" decrypt moved.yaml | cmp - plain.yaml
}

is_refused_with_a_disabled_key() {
  kms DisableKey "{\"KeyId\":\"$first\"}" >/dev/null || return
  if "$sops" decrypt sealed.yaml >opened.yaml 2>refusal; then return 1; fi
  grep -q 'DisabledException' refusal || { cat refusal >&2; return 1; }
}

# group NAME FUNCTION
failures=0
group() {
  if "$2"; then
    echo "ok $1"
  else
    failures=$((failures + 1))
    echo "FAILED $1: see above"
  fi
}

first=$(kms CreateKey '{}') && second=$(kms CreateKey '{}') || exit
group 'encrypt and decrypt a file' encrypts_and_decrypts
group 'rotate to another key' rotates_to_another_key
group 'disabled key' is_refused_with_a_disabled_key
[ "$failures" = 0 ]
