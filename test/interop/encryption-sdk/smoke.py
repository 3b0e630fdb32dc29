"""The AWS Encryption SDK against the server of the environment: one function for each keyring.

The endpoint comes from the environment, as with boto3, which it calls. A new keyring is a function under @group; it is
given the material providers and a client of KMS, and fails by raising.
"""

import logging
import sys
import traceback

import aws_encryption_sdk
import boto3
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    CreateAwsKmsKeyringInput,
    CreateAwsKmsMrkKeyringInput,
    CreateAwsKmsMultiKeyringInput,
    CreateAwsKmsRsaKeyringInput,
)
from aws_encryption_sdk import CommitmentPolicy
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import AlgorithmSuite
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

REGION = "us-east-1"
OTHER_REGION = "eu-west-1"
CONTEXT = {"tenant": "42", "purpose": "interop"}
# Longer than one frame of the message format (4096 bytes).
MESSAGE = b"a message of the smoke " * 1000
GROUPS = []
ENCRYPTION = aws_encryption_sdk.EncryptionSDKClient(
    commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
)


def group(name):
    def add(function):
        GROUPS.append((name, function))
        return function

    return add


def encrypt(keyring, **options):
    sealed, _ = ENCRYPTION.encrypt(source=MESSAGE, keyring=keyring, encryption_context=CONTEXT, **options)
    return sealed


def decrypts(keyring, sealed):
    opened, header = ENCRYPTION.decrypt(source=sealed, keyring=keyring, encryption_context=CONTEXT)
    if opened != MESSAGE or header.encryption_context.get("tenant") != "42":
        raise AssertionError("the message or its encryption context came back changed")


def fails(error_class, call, *arguments):
    try:
        call(*arguments)
    except error_class:
        return
    raise AssertionError(f"no {error_class.__name__}")


@group("KMS keyring")
def kms_keyring(providers, kms):
    def keyring(**key):
        arn = kms.create_key(**key)["KeyMetadata"]["Arn"]
        return providers.create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=arn, kms_client=kms))

    ours = keyring()
    sealed = encrypt(ours)
    decrypts(ours, sealed)
    fails(AWSEncryptionSDKClientError, decrypts, keyring(), sealed)
    fails(InvalidSignature, decrypts, ours, sealed[:-1] + bytes([sealed[-1] ^ 1]))


@group("KMS multi-keyring")
def kms_multi_keyring(providers, kms):
    first, second = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    both = CreateAwsKmsMultiKeyringInput(generator=first, kms_key_ids=[second])
    sealed = encrypt(providers.create_aws_kms_multi_keyring(both))
    kms.disable_key(KeyId=first)
    decrypts(providers.create_aws_kms_multi_keyring(both), sealed)


@group("KMS multi-Region keyring")
def kms_mrk_keyring(providers, kms):
    there = boto3.client("kms", OTHER_REGION)
    arn = kms.create_key(MultiRegion=True)["KeyMetadata"]["Arn"]
    replica = kms.replicate_key(KeyId=arn, ReplicaRegion=OTHER_REGION)["ReplicaKeyMetadata"]["Arn"]
    here = CreateAwsKmsMrkKeyringInput(kms_key_id=arn, kms_client=kms)
    other = CreateAwsKmsMrkKeyringInput(kms_key_id=replica, kms_client=there)
    decrypts(
        providers.create_aws_kms_mrk_keyring(other),
        encrypt(providers.create_aws_kms_mrk_keyring(here)),
    )


@group("KMS RSA keyring")
def kms_rsa_keyring(providers, kms):
    arn = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    der = kms.get_public_key(KeyId=arn)["PublicKey"]
    pem = serialization.load_der_public_key(der).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    keyring = providers.create_aws_kms_rsa_keyring(
        CreateAwsKmsRsaKeyringInput(
            kms_key_id=arn, public_key=pem, encryption_algorithm="RSAES_OAEP_SHA_256", kms_client=kms
        )
    )
    # This keyring refuses the default suite, which signs.
    decrypts(keyring, encrypt(keyring, algorithm=AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY))


def main():
    # The SDK logs what it raises, and that is wanted here.
    logging.disable()
    providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
    kms = boto3.client("kms", REGION)
    failures = 0
    for name, check in GROUPS:
        try:
            check(providers, kms)
            print(f"ok {name}", flush=True)
        except Exception as error:  # whatever one group raises, the others are still to be run
            failures += 1
            traceback.print_exc()
            print(f"FAILED {name}: {type(error).__name__}: {' '.join(str(error).split())}", flush=True)
    sys.exit(1 if failures else 0)


main()
