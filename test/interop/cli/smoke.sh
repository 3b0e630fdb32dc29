#!/usr/bin/env bash
# smoke.sh FOLDER ENDPOINT: one function for each group of operations; OpenSSL's command checks public keys and signatures.
# A group runs in a shell of its own that ends at the first command that fails. A new one is added to the list of groups.
set -uo pipefail
cd "$1" || exit
endpoint=$2
printf 'a message of the smoke' >message
openssl dgst -sha256 -binary message >digest

kms() { /usr/bin/aws --endpoint-url "$endpoint" --output text kms "$@"; }
sts() { /usr/bin/aws --endpoint-url "$endpoint" --output text sts "$@"; }
# as_user COMMAND...: runs it as the user that no policy allows anything, instead of the administrator.
as_user() {
  AWS_ACCESS_KEY_ID=$INTEROP_USER_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$INTEROP_USER_SECRET_ACCESS_KEY "$@"
}
# as_session CREDENTIALS COMMAND...: runs it with the three credentials that stand in a file in one line.
as_session() {
  local id secret token
  IFS=$'\t' read -r id secret token <"$1"
  AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret AWS_SESSION_TOKEN=$token "${@:2}"
}
administrator=$(sts get-caller-identity --query Arn)
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

# denied CALLER ACTION RESOURCE COMMAND...: the command fails because no policy of the caller allows the action.
denied() {
  refused AccessDeniedException "User: $1 is not authorized to perform: $2 on resource: $3 because no identity-based \
policy allows the $2 action" "${@:4}"
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

# wrap KEY: leaves what imports the file `material` into a key in the files `token` and `wrapped`.
wrap() {
  kms get-parameters-for-import --key-id "$1" --wrapping-algorithm RSAES_OAEP_SHA_256 --wrapping-key-spec RSA_2048 \
    --query '[PublicKey,ImportToken]' >parameters
  cut -f 1 parameters | bytes >public
  cut -f 2 parameters | bytes >token
  openssl pkeyutl -encrypt -pubin -keyform DER -inkey public -in material -out wrapped \
    -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256
}

# bring KEY: imports what wrap left.
bring() {
  kms import-key-material --key-id "$1" --import-token fileb://token --encrypted-key-material fileb://wrapped \
    --expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE
}

imported_material() {
  local key other arn
  key=$(create --origin EXTERNAL)
  arn=$(kms describe-key --key-id "$key" --query KeyMetadata.Arn)
  openssl rand -out material 32
  wrap "$key"
  bring "$key"
  kms encrypt --key-id "$key" --plaintext fileb://../message --query CiphertextBlob | bytes >sealed
  kms delete-imported-key-material --key-id "$key"
  refused KMSInvalidStateException "$arn is pending import." kms decrypt --ciphertext-blob fileb://sealed
  wrap "$key"
  bring "$key"
  kms decrypt --ciphertext-blob fileb://sealed --query Plaintext | bytes | cmp - ../message
  other=$(create --origin EXTERNAL)
  arn=${arn%/*}/$other
  refused InvalidImportTokenException "The import token is not valid for key $arn." bring "$other"
  other=$(create --origin EXTERNAL --key-spec HMAC_256 --key-usage GENERATE_VERIFY_MAC)
  wrap "$other"
  bring "$other"
  kms generate-mac --key-id "$other" --message fileb://../message --mac-algorithm HMAC_SHA_256 --query Mac |
    bytes >mac
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(od -An -tx1 material | tr -d ' \n')" -binary ../message | cmp - mac
}

# store_member ID NAME: prints a member of what describes a custom key store.
store_member() { kms describe-custom-key-stores --custom-key-store-id "$1" --query "CustomKeyStores[].$2"; }

# check_store NAME OPTION...: a store from its creation to its deletion.
check_store() {
  local store text='Another custom key store has the same name.'
  store=$(kms create-custom-key-store --custom-key-store-name "$1" "${@:2}")
  same "$(store_member "$store" '[CustomKeyStoreName,ConnectionState]')" "$1"$'\t'DISCONNECTED
  refused CustomKeyStoreNameInUseException "$text" kms create-custom-key-store --custom-key-store-name "$1" "${@:2}"
  kms update-custom-key-store --custom-key-store-id "$store" --new-custom-key-store-name "$1 renamed"
  same "$(store_member "$store" CustomKeyStoreName)" "$1 renamed"
  kms delete-custom-key-store --custom-key-store-id "$store"
  refused CustomKeyStoreNotFoundException "Custom key store $store is not found." store_member "$store" '*'
}

cluster_store() {
  check_store 'cli cluster' --cloud-hsm-cluster-id cluster-smokesofcli \
    --trust-anchor-certificate "file://$INTEROP_TRUST_ANCHOR" --key-store-password a-password
}

external_store() {
  check_store 'cli proxy' --custom-key-store-type EXTERNAL_KEY_STORE \
    --xks-proxy-connectivity VPC_ENDPOINT_SERVICE --xks-proxy-uri-path /kms/xks/v1 \
    --xks-proxy-vpc-endpoint-service-name com.amazonaws.vpce.us-east-1.vpce-svc-0a1b2c3d4e5f60004 \
    --cli-input-json '{"XksProxyUriEndpoint": "https://cli.example.com"}' --xks-proxy-authentication-credential \
    AccessKeyId=SMOKESOFCLISMOKESOFCLI,RawSecretAccessKey=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
}

identities() {
  local key arn user=$INTEROP_USER_ARN us=$administrator
  key=$(create)
  arn=$(kms describe-key --key-id "$key" --query KeyMetadata.Arn)
  kms encrypt --key-id "$key" --plaintext fileb://../message --query CiphertextBlob | bytes >sealed
  denied "$user" kms:CreateKey '*' as_user kms create-key
  denied "$user" kms:Decrypt "$arn" as_user kms decrypt --key-id "$key" --ciphertext-blob fileb://sealed
  cat >policy <<END
{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"AWS": "${us%:user/*}:root"}, "Action": "kms:*", "Resource": "*"},
  {"Effect": "Allow", "Principal": {"AWS": "$user"}, "Action": "kms:Decrypt", "Resource": "*"},
  {"Effect": "Deny", "Principal": {"AWS": "$us"}, "Action": "kms:Decrypt", "Resource": "*"}
]}
END
  kms put-key-policy --key-id "$key" --policy-name default --policy file://policy
  as_user kms decrypt --ciphertext-blob fileb://sealed --query Plaintext | bytes | cmp - ../message
  denied "$user" kms:Encrypt "$arn" as_user kms encrypt --key-id "$key" --plaintext fileb://../message
  refused AccessDeniedException "User: $us is not authorized to perform: kms:Decrypt on resource: $arn with an explicit \
deny in a resource-based policy" kms decrypt --key-id "$key" --ciphertext-blob fileb://sealed
}

grants_to_another_identity() {
  local key refusal decryption
  key=$(create)
  refusal=("$INTEROP_USER_ARN" kms:Decrypt "$(kms describe-key --key-id "$key" --query KeyMetadata.Arn)")
  kms encrypt --key-id "$key" --plaintext fileb://../message --query CiphertextBlob | bytes >sealed
  decryption=(kms decrypt --key-id "$key" --ciphertext-blob fileb://sealed --query Plaintext)
  denied "${refusal[@]}" as_user "${decryption[@]}"
  kms create-grant --key-id "$key" --grantee-principal "$INTEROP_USER_ARN" --operations Decrypt \
    --query '[GrantId,GrantToken]' >grant
  as_user "${decryption[@]}" --grant-tokens "$(cut -f 2 grant)" | bytes | cmp - ../message
  kms revoke-grant --key-id "$key" --grant-id "$(cut -f 1 grant)"
  denied "${refusal[@]}" as_user "${decryption[@]}"
}

aws_managed_keys() {
  local key arn
  IFS=$'\t' read -r key arn < <(kms describe-key --key-id alias/aws/s3 --query 'KeyMetadata.[KeyId,Arn]')
  same "$(kms describe-key --key-id "$arn" --query 'KeyMetadata.[KeyManager,KeyState]')" $'AWS\tEnabled'
  same "$(kms list-aliases --key-id "$key" --query 'Aliases[].AliasName')" alias/aws/s3
  # Only the service that it belongs to uses the key.
  refused AccessDeniedException "User: $administrator is not authorized to perform: kms:Encrypt on resource: $arn \
because no resource-based policy allows the kms:Encrypt action" \
    kms encrypt --key-id alias/aws/s3 --plaintext fileb://../message
}

security_tokens() {
  local key arn role=$INTEROP_ROLE_ARN request session
  key=$(create)
  arn=$(kms describe-key --key-id "$key" --query KeyMetadata.Arn)
  same "$(as_user sts get-caller-identity --query '[Account,Arn]')" \
    "$(cut -d : -f 5 <<<"$arn")"$'\t'"$INTEROP_USER_ARN"
  request=(sts assume-role --role-arn "$role" --role-session-name cli)
  session=(--query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]')
  refused AccessDenied "User: $administrator is not authorized to perform: sts:AssumeRole on resource: $role" "${request[@]}"
  as_user "${request[@]}" "${session[@]}" >assumed
  role=${role/:iam:/:sts:}
  role=${role/:role/:assumed-role}/cli
  same "$(as_session assumed sts get-caller-identity --query Arn)" "$role"
  as_session assumed kms encrypt --key-id "$key" --plaintext fileb://../message --query CiphertextBlob | bytes >sealed
  denied "$role" kms:Decrypt "$arn" as_session assumed kms decrypt --key-id "$key" --ciphertext-blob fileb://sealed
  sts get-session-token --duration-seconds 900 "${session[@]}" >temporary
  as_session temporary kms decrypt --ciphertext-blob fileb://sealed --query Plaintext | bytes | cmp - ../message
}

# Side by side, each in a folder of its own: the CLI needs most of a second to start.
groups=(keys aliases tags_and_policies data data_keys signatures mac random rotation grants multi_region deletion
  imported_material cluster_store external_store identities grants_to_another_identity aws_managed_keys
  security_tokens)
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
