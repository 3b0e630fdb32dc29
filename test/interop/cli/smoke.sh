#!/usr/bin/env bash
# smoke.sh FOLDER ENDPOINT: one function for each group of operations; OpenSSL's command checks public keys and signatures.
# A group runs in a shell of its own that ends at the first command that fails. A new one is added to the list of groups.
set -uo pipefail
cd "$1" || exit
endpoint=$2
printf 'a message of the smoke' >message
openssl dgst -sha256 -binary message >digest

kms() { /usr/bin/aws --endpoint-url "$endpoint" --output text kms "$@"; }
create() { kms create-key --query KeyMetadata.KeyId "$@"; }
bytes() { base64 -d; }

# same ACTUAL EXPECTED
same() {
  [ "$1" = "$2" ] || {
    echo "'$1' instead of '$2'" >&2
    return 1
  }
}

# refused ERROR MESSAGE COMMAND...: the command fails with exactly this error and text.
refused() {
  local error=$1 message=$2 output
  shift 2
  if output=$("$@" 2>&1); then
    echo "no $error" >&2
    return 1
  fi
  case $output in
    *"($error) when calling the "*" operation: $message") ;;
    *) echo "'$output' instead of '($error) …: $message'" >&2 && return 1 ;;
  esac
}

keys() {
  local key arn
  key=$(create --description first)
  kms update-key-description --key-id "$key" --description second
  same "$(kms describe-key --key-id "$key" --query KeyMetadata.Description)" second
  arn=$(kms list-keys --page-size 2 --query "Keys[?KeyId=='$key'].KeyArn")
  same "$(kms describe-key --key-id "$arn" --query KeyMetadata.KeyId)" "$key"
  kms disable-key --key-id "$key"
  refused DisabledException "$arn is disabled." kms encrypt --key-id "$key" --plaintext fileb://../message
  kms enable-key --key-id "$key"
}

aliases() {
  local first second
  first=$(create)
  second=$(create)
  kms create-alias --alias-name alias/cli --target-key-id "$first"
  kms update-alias --alias-name alias/cli --target-key-id "$second"
  same "$(kms describe-key --key-id alias/cli --query KeyMetadata.KeyId)" "$second"
  same "$(kms list-aliases --key-id "$second" --query 'Aliases[].AliasName')" alias/cli
  kms delete-alias --alias-name alias/cli
}

tags_and_policies() {
  local key
  key=$(create --tags TagKey=stage,TagValue=test)
  kms tag-resource --key-id "$key" --tags TagKey=owner,TagValue=Zoë
  kms untag-resource --key-id "$key" --tag-keys stage
  same "$(kms list-resource-tags --key-id "$key" --query 'Tags[].[TagKey,TagValue]')" $'owner\tZoë'
  kms get-key-policy --key-id "$key" --policy-name default --query Policy >policy
  kms put-key-policy --key-id "$key" --policy-name default --policy file://policy
  same "$(kms list-key-policies --key-id "$key" --query PolicyNames)" default
}

data() {
  local key other context=(--encryption-context 'tenant=42,purpose=Rücklage')
  key=$(create)
  other=$(create)
  kms encrypt --key-id "$key" --plaintext fileb://../message "${context[@]}" --query CiphertextBlob | bytes >sealed
  kms decrypt --ciphertext-blob fileb://sealed "${context[@]}" --query Plaintext | bytes | cmp - ../message
  refused InvalidCiphertextException '' kms decrypt --ciphertext-blob fileb://sealed
  kms re-encrypt --ciphertext-blob fileb://sealed --source-encryption-context tenant=42,purpose=Rücklage \
    --destination-key-id "$other" --query CiphertextBlob | bytes >moved
  kms decrypt --ciphertext-blob fileb://moved --query Plaintext | bytes | cmp - ../message
}

data_keys() {
  local key
  key=$(create)
  kms generate-data-key --key-id "$key" --key-spec AES_256 --query '[Plaintext,CiphertextBlob]' >made
  cut -f 2 made | bytes >sealed
  same "$(kms decrypt --ciphertext-blob fileb://sealed --query Plaintext)" "$(cut -f 1 made)"
  kms generate-data-key-pair-without-plaintext --key-id "$key" --key-pair-spec ECC_NIST_P256 \
    --query PrivateKeyCiphertextBlob | bytes >sealed
  kms decrypt --ciphertext-blob fileb://sealed --query Plaintext | bytes | openssl pkey -inform DER -noout -check
}

# signs SPEC ALGORITHM OPENSSL-OPTION...
signs() {
  local key signing=(--message fileb://../digest --message-type DIGEST --signing-algorithm "$2")
  key=$(create --key-spec "$1" --key-usage SIGN_VERIFY)
  kms get-public-key --key-id "$key" --query PublicKey | bytes >public
  kms sign --key-id "$key" "${signing[@]}" --query Signature | bytes >signature
  same "$(kms verify --key-id "$key" "${signing[@]}" --signature fileb://signature --query SignatureValid)" True
  openssl dgst -sha256 "${@:3}" -keyform DER -verify public -signature signature ../message >/dev/null
}

signatures() {
  signs RSA_2048 RSASSA_PSS_SHA_256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest
  signs ECC_NIST_P256 ECDSA_SHA_256
}

mac() {
  local key request=(--message fileb://../message --mac-algorithm HMAC_SHA_256)
  key=$(create --key-spec HMAC_256 --key-usage GENERATE_VERIFY_MAC)
  kms generate-mac --key-id "$key" "${request[@]}" --query Mac | bytes >mac
  same "$(kms verify-mac --key-id "$key" "${request[@]}" --mac fileb://mac --query MacValid)" True
  refused KMSInvalidMacException '' kms verify-mac --key-id "$key" "${request[@]}" --mac fileb://../digest
}

random() { same "$(kms generate-random --number-of-bytes 100 --query Plaintext | bytes | wc -c)" 100; }

rotation() {
  local key
  key=$(create)
  kms enable-key-rotation --key-id "$key"
  same "$(kms get-key-rotation-status --key-id "$key" --query KeyRotationEnabled)" True
  kms disable-key-rotation --key-id "$key"
}

grants() {
  local key principal grant
  key=$(create)
  principal=arn:aws:iam::$(kms describe-key --key-id "$key" --query KeyMetadata.AWSAccountId):root
  kms create-grant --key-id "$key" --grantee-principal "$principal" --operations Encrypt \
    --query '[GrantId,GrantToken]' >grant
  kms encrypt --key-id "$key" --plaintext fileb://../message --grant-tokens "$(cut -f 2 grant)" --query KeyId
  grant=$(cut -f 1 grant)
  same "$(kms list-grants --key-id "$key" --query 'Grants[].GrantId')" "$grant"
  kms revoke-grant --key-id "$key" --grant-id "$grant"
}

multi_region() {
  local key
  key=$(create --multi-region)
  kms replicate-key --key-id "$key" --replica-region eu-west-1 --query ReplicaKeyMetadata.Arn
  kms encrypt --key-id "$key" --plaintext fileb://../message --query CiphertextBlob | bytes >sealed
  for _ in $(seq 50); do
    [ "$(kms describe-key --region eu-west-1 --key-id "$key" --query KeyMetadata.KeyState)" = Creating ] || break
  done
  kms decrypt --region eu-west-1 --ciphertext-blob fileb://sealed --query Plaintext | bytes | cmp - ../message
}

deletion() {
  local key
  key=$(create)
  same "$(kms schedule-key-deletion --key-id "$key" --pending-window-in-days 7 --query KeyState)" PendingDeletion
  kms cancel-key-deletion --key-id "$key"
  same "$(kms describe-key --key-id "$key" --query KeyMetadata.KeyState)" Disabled
}

# Side by side, each in a folder of its own: the CLI needs most of a second to start.
groups=(keys aliases tags_and_policies data data_keys signatures mac random rotation grants multi_region deletion)
jobs=()
for group in "${groups[@]}"; do
  (
    set -e
    mkdir "$group"
    cd "$group"
    "$group"
  ) >/dev/null &
  jobs+=("$!")
done
failures=0
for index in "${!groups[@]}"; do
  if wait "${jobs[$index]}"; then
    echo "ok ${groups[$index]//_/ }"
  else
    failures=$((failures + 1))
    echo "FAILED ${groups[$index]//_/ }: see above"
  fi
done
[ "$failures" = 0 ]
