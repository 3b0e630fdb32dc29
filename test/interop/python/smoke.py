"""boto3 against the server of the environment: one function for each group of operations.

A new group is a function under @group; it is given a client, and fails by raising. Signatures and shared secrets are
also checked with the `cryptography` package, so that a mistake of the server cannot cancel itself out.
"""

import json
import sys
import time
import traceback

import boto3
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, padding

import access  # noqa: F401 (its groups)
import custody  # noqa: F401 (its groups)
from harness import CONTEXT, GROUPS, MESSAGE, OTHER_REGION, REGION, connect, create, create_pair, group, refused, same
from harness import wait_for


@group("keys")
def keys(kms):
    made = create(kms, Description="first")
    key_id, arn = made["KeyId"], made["Arn"]
    same(arn, f"arn:aws:kms:{REGION}:{made['AWSAccountId']}:key/{key_id}")
    same((made["KeySpec"], made["KeyUsage"], made["KeyState"]), ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "Enabled"))
    kms.update_key_description(KeyId=key_id, Description="second")
    same(kms.describe_key(KeyId=arn)["KeyMetadata"], {**made, "Description": "second"})
    pages = kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2})
    same([key["KeyArn"] for page in pages for key in page["Keys"] if key["KeyId"] == key_id], [arn])
    kms.disable_key(KeyId=key_id)
    refused(kms.exceptions.DisabledException, f"{arn} is disabled.", kms.encrypt, KeyId=key_id, Plaintext=b"x")
    kms.enable_key(KeyId=key_id)
    same(kms.describe_key(KeyId=key_id)["KeyMetadata"]["Enabled"], True)


@group("aliases")
def aliases(kms):
    name = f"alias/python-{time.time_ns()}"
    first, second = create(kms), create(kms)
    kms.create_alias(AliasName=name, TargetKeyId=first["KeyId"])
    alias_arn = first["Arn"].split(":key/")[0] + ":" + name
    same(kms.list_aliases(KeyId=first["KeyId"])["Aliases"][0]["AliasArn"], alias_arn)
    blob = kms.encrypt(KeyId=name, Plaintext=MESSAGE)["CiphertextBlob"]
    text = f"An alias with the name {alias_arn} already exists"
    again = {"AliasName": name, "TargetKeyId": second["KeyId"]}
    refused(kms.exceptions.AlreadyExistsException, text, kms.create_alias, **again)
    kms.update_alias(**again)
    same(kms.describe_key(KeyId=alias_arn)["KeyMetadata"]["Arn"], second["Arn"])
    same(kms.decrypt(CiphertextBlob=blob)["Plaintext"], MESSAGE)
    kms.delete_alias(AliasName=name)
    refused(kms.exceptions.NotFoundException, f"Alias {alias_arn} is not found.", kms.describe_key, KeyId=name)


@group("tags")
def tags(kms):
    key_id = create(kms, Tags=[{"TagKey": "stage", "TagValue": "test"}])["KeyId"]
    kms.tag_resource(KeyId=key_id, Tags=[{"TagKey": "owner", "TagValue": "Zoë"}])
    listed = kms.list_resource_tags(KeyId=key_id)["Tags"]
    same({tag["TagKey"]: tag["TagValue"] for tag in listed}, {"stage": "test", "owner": "Zoë"})
    kms.untag_resource(KeyId=key_id, TagKeys=["stage"])
    same(kms.list_resource_tags(KeyId=key_id)["Tags"], [{"TagKey": "owner", "TagValue": "Zoë"}])
    reserved = [{"TagKey": "aws:x", "TagValue": ""}]
    text = "Tags beginning with aws: are reserved"
    refused(kms.exceptions.TagException, text, kms.tag_resource, KeyId=key_id, Tags=reserved)


@group("policies")
def policies(kms):
    made = create(kms)
    key_id = made["KeyId"]
    same(kms.list_key_policies(KeyId=key_id)["PolicyNames"], ["default"])
    policy = json.loads(kms.get_key_policy(KeyId=key_id)["Policy"])
    root = policy["Statement"][0]["Principal"]
    same(root, {"AWS": f"arn:aws:iam::{made['AWSAccountId']}:root"})
    policy["Statement"].append({"Effect": "Allow", "Principal": root, "Action": "kms:Decrypt", "Resource": "*"})
    kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy=json.dumps(policy))
    same(json.loads(kms.get_key_policy(KeyId=key_id)["Policy"]), policy)
    try:
        kms.put_key_policy(KeyId=key_id, Policy="{")
        raise AssertionError("a broken policy was taken")
    except kms.exceptions.MalformedPolicyDocumentException:
        pass


@group("encrypt and decrypt")
def data(kms):
    made = create(kms)
    sealed = kms.encrypt(KeyId=made["KeyId"], Plaintext=MESSAGE, EncryptionContext=CONTEXT)
    same(sealed["KeyId"], made["Arn"])
    blob = sealed["CiphertextBlob"]
    opened = kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)
    same((opened["Plaintext"], opened["KeyId"]), (MESSAGE, made["Arn"]))
    refused(kms.exceptions.InvalidCiphertextException, "", kms.decrypt, CiphertextBlob=blob)
    text = "The key ID in the request does not identify a CMK that can perform this operation."
    wrong = {"CiphertextBlob": blob, "EncryptionContext": CONTEXT, "KeyId": create(kms)["KeyId"]}
    refused(kms.exceptions.IncorrectKeyException, text, kms.decrypt, **wrong)


@group("RSA encryption")
def rsa_encryption(kms):
    key_id, public = create_pair(kms, "RSA_2048", "ENCRYPT_DECRYPT")
    for algorithm, digest in (("RSAES_OAEP_SHA_1", hashes.SHA1()), ("RSAES_OAEP_SHA_256", hashes.SHA256())):
        outside = public.encrypt(MESSAGE, padding.OAEP(padding.MGF1(digest), digest, None))
        inside = kms.encrypt(KeyId=key_id, Plaintext=MESSAGE, EncryptionAlgorithm=algorithm)["CiphertextBlob"]
        for blob in (outside, inside):
            opened = kms.decrypt(KeyId=key_id, CiphertextBlob=blob, EncryptionAlgorithm=algorithm)
            same(opened["Plaintext"], MESSAGE)


@group("data keys")
def data_keys(kms):
    key_id = create(kms)["KeyId"]
    for size, length in (({"KeySpec": "AES_128"}, 16), ({"KeySpec": "AES_256"}, 32), ({"NumberOfBytes": 1024}, 1024)):
        made = kms.generate_data_key(KeyId=key_id, EncryptionContext=CONTEXT, **size)
        same(len(made["Plaintext"]), length)
        opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)
        same(opened["Plaintext"], made["Plaintext"])
    hidden = kms.generate_data_key_without_plaintext(KeyId=key_id, KeySpec="AES_256")
    same("Plaintext" in hidden, False)
    same(len(kms.decrypt(CiphertextBlob=hidden["CiphertextBlob"])["Plaintext"]), 32)


@group("data key pairs")
def data_key_pairs(kms):
    key_id = create(kms)["KeyId"]
    for spec in ("RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"):
        made = kms.generate_data_key_pair(KeyId=key_id, KeyPairSpec=spec)
        private = serialization.load_der_private_key(made["PrivateKeyPlaintext"], None)
        der = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        same(private.public_key().public_bytes(*der), made["PublicKey"])
        same(kms.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"])["Plaintext"], made["PrivateKeyPlaintext"])
    hidden = kms.generate_data_key_pair_without_plaintext(KeyId=key_id, KeyPairSpec="ECC_NIST_P384")
    same("PrivateKeyPlaintext" in hidden, False)
    serialization.load_der_private_key(kms.decrypt(CiphertextBlob=hidden["PrivateKeyCiphertextBlob"])["Plaintext"], None)


@group("re-encrypt")
def re_encrypt(kms):
    source, target = create(kms), create(kms)
    blob = kms.encrypt(KeyId=source["KeyId"], Plaintext=MESSAGE, EncryptionContext=CONTEXT)["CiphertextBlob"]
    moved = kms.re_encrypt(
        CiphertextBlob=blob,
        SourceEncryptionContext=CONTEXT,
        DestinationKeyId=target["KeyId"],
        DestinationEncryptionContext={"moved": "yes"},
    )
    same((moved["SourceKeyId"], moved["KeyId"]), (source["Arn"], target["Arn"]))
    opened = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"moved": "yes"})
    same((opened["Plaintext"], opened["KeyId"]), (MESSAGE, target["Arn"]))


def check_signing(kms, spec, algorithm, verify_outside):
    """Signs; verifies at the server and with verify_outside(public key, signature); a changed signature fails at both."""
    key_id, public = create_pair(kms, spec, "SIGN_VERIFY")
    signature = kms.sign(KeyId=key_id, Message=MESSAGE, SigningAlgorithm=algorithm)["Signature"]
    request = {"KeyId": key_id, "Message": MESSAGE, "SigningAlgorithm": algorithm}
    same(kms.verify(Signature=signature, **request)["SignatureValid"], True)
    verify_outside(public, signature)
    bad = signature[:-1] + bytes([signature[-1] ^ 1])
    refused(kms.exceptions.KMSInvalidSignatureException, "", kms.verify, Signature=bad, **request)
    try:
        verify_outside(public, bad)
    except InvalidSignature:
        return
    raise AssertionError(f"the changed signature of {algorithm} is valid outside")


@group("sign and verify: RSA")
def sign_rsa(kms):
    sha384 = hashes.SHA384()
    pss = padding.PSS(padding.MGF1(sha384), padding.PSS.DIGEST_LENGTH)
    check_signing(kms, "RSA_2048", "RSASSA_PSS_SHA_384", lambda key, value: key.verify(value, MESSAGE, pss, sha384))
    pkcs1, sha256 = padding.PKCS1v15(), hashes.SHA256()
    check_signing(
        kms, "RSA_3072", "RSASSA_PKCS1_V1_5_SHA_256", lambda key, value: key.verify(value, MESSAGE, pkcs1, sha256)
    )


@group("sign and verify: ECC")
def sign_ecc(kms):
    for spec, size in (
        ("ECC_NIST_P256", hashes.SHA256()),
        ("ECC_NIST_P384", hashes.SHA384()),
        ("ECC_NIST_P521", hashes.SHA512()),
        ("ECC_SECG_P256K1", hashes.SHA256()),
    ):
        algorithm = f"ECDSA_SHA_{size.digest_size * 8}"
        check_signing(kms, spec, algorithm, lambda key, value, size=size: key.verify(value, MESSAGE, ec.ECDSA(size)))
    key_id, public = create_pair(kms, "ECC_NIST_P256", "SIGN_VERIFY")
    digest = hashes.Hash(hashes.SHA256())
    digest.update(MESSAGE)
    request = {"KeyId": key_id, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    public.verify(kms.sign(Message=digest.finalize(), **request)["Signature"], MESSAGE, ec.ECDSA(hashes.SHA256()))
    text = "Digest is invalid length for algorithm ECDSA_SHA_256."
    error = refused(ClientError, text, kms.sign, Message=b"short", **request)
    same(error.response["Error"]["Code"], "ValidationException")


@group("sign and verify: Ed25519")
def sign_ed25519(kms):
    check_signing(
        kms, "ECC_NIST_EDWARDS25519", "ED25519_SHA_512", lambda key, value: key.verify(value, MESSAGE)
    )


@group("sign and verify: ML-DSA")
def sign_mldsa(kms):
    for spec in ("ML_DSA_44", "ML_DSA_65", "ML_DSA_87"):
        check_signing(kms, spec, "ML_DSA_SHAKE_256", lambda key, value: key.verify(value, MESSAGE))


@group("MAC")
def mac(kms):
    for bits in (224, 256, 384, 512):
        key_id = create(kms, KeySpec=f"HMAC_{bits}", KeyUsage="GENERATE_VERIFY_MAC")["KeyId"]
        request = {"KeyId": key_id, "Message": MESSAGE, "MacAlgorithm": f"HMAC_SHA_{bits}"}
        tag = kms.generate_mac(**request)["Mac"]
        same(len(tag) * 8, bits)
        same(kms.verify_mac(Mac=tag, **request)["MacValid"], True)
        refused(kms.exceptions.KMSInvalidMacException, "", kms.verify_mac, Mac=bytes(len(tag)), **request)


@group("ECDH")
def ecdh(kms):
    for spec, curve in (("ECC_NIST_P256", ec.SECP256R1()), ("ECC_NIST_P521", ec.SECP521R1())):
        key_id, public = create_pair(kms, spec, "KEY_AGREEMENT")
        stranger = ec.generate_private_key(curve)
        theirs = stranger.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        derived = kms.derive_shared_secret(KeyId=key_id, KeyAgreementAlgorithm="ECDH", PublicKey=theirs)
        same(derived["SharedSecret"], stranger.exchange(ec.ECDH(), public))


@group("KEM")
def kem(kms):
    for spec, public_class in (("ML_KEM_768", mlkem.MLKEM768PublicKey), ("ML_KEM_1024", mlkem.MLKEM1024PublicKey)):
        key_id, public = create_pair(kms, spec, "ENCAPSULATE_DECAPSULATE")
        same(isinstance(public, public_class), True)
        secret, blob = public.encapsulate()
        request = {"KeyId": key_id, "EncapsulationAlgorithm": "ML_KEM"}
        same(kms.decapsulate(SharedSecretCiphertextBlob=blob, **request)["SharedSecret"], secret)
        made = kms.encapsulate(**request)
        opened = kms.decapsulate(SharedSecretCiphertextBlob=made["SharedSecretCiphertextBlob"], **request)
        same(opened["SharedSecret"], made["SharedSecret"])


@group("random")
def random(kms):
    first, second = (kms.generate_random(NumberOfBytes=1024)["Plaintext"] for _ in range(2))
    same((len(first), len(second), first == second), (1024, 1024, False))


@group("rotation")
def rotation(kms):
    key_id = create(kms)["KeyId"]
    blob = kms.encrypt(KeyId=key_id, Plaintext=MESSAGE)["CiphertextBlob"]
    kms.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=180)
    status = kms.get_key_rotation_status(KeyId=key_id)
    same((status["KeyRotationEnabled"], status["RotationPeriodInDays"]), (True, 180))
    before = kms.describe_key(KeyId=key_id)["KeyMetadata"]["CurrentKeyMaterialId"]
    kms.rotate_key_on_demand(KeyId=key_id)
    for _ in range(100):
        rotations = kms.list_key_rotations(KeyId=key_id)["Rotations"]
        if rotations:
            break
        time.sleep(0.1)
    same([entry["RotationType"] for entry in rotations], ["ON_DEMAND"])
    same(kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"], before)
    new = kms.decrypt(CiphertextBlob=kms.encrypt(KeyId=key_id, Plaintext=MESSAGE)["CiphertextBlob"])
    same((new["Plaintext"], new["KeyMaterialId"] == before), (MESSAGE, False))
    kms.disable_key_rotation(KeyId=key_id)
    same(kms.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"], False)


@group("last usage")
def last_usage(kms):
    key_id = create(kms)["KeyId"]
    same(kms.get_key_last_usage(KeyId=key_id)["KeyLastUsage"], {})
    used = kms.encrypt(KeyId=key_id, Plaintext=MESSAGE)
    noted = kms.get_key_last_usage(KeyId=key_id)["KeyLastUsage"]
    same((noted["Operation"], noted["KmsRequestId"]), ("Encrypt", used["ResponseMetadata"]["RequestId"]))


@group("grants")
def grants(kms):
    made = create(kms)
    key_id, account = made["KeyId"], made["AWSAccountId"]
    principal = f"arn:aws:iam::{account}:root"
    granted = kms.create_grant(
        KeyId=key_id,
        GranteePrincipal=principal,
        RetiringPrincipal=principal,
        Operations=["Encrypt", "Decrypt"],
        Constraints={"EncryptionContextSubset": {"tenant": "42"}},
        Name="worker",
    )
    token = granted["GrantToken"]
    blob = kms.encrypt(KeyId=key_id, Plaintext=MESSAGE, EncryptionContext=CONTEXT, GrantTokens=[token])["CiphertextBlob"]
    opened = kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT, GrantTokens=[token])
    same(opened["Plaintext"], MESSAGE)
    (listed,) = kms.list_grants(KeyId=key_id)["Grants"]
    same((listed["GrantId"], listed["Constraints"]), (granted["GrantId"], {"EncryptionContextSubset": {"tenant": "42"}}))
    retirable = kms.list_retirable_grants(RetiringPrincipal=principal)["Grants"]
    same(granted["GrantId"] in [grant["GrantId"] for grant in retirable], True)
    kms.retire_grant(GrantToken=token)
    other = kms.create_grant(KeyId=key_id, GranteePrincipal=principal, Operations=["Decrypt"])
    kms.revoke_grant(KeyId=key_id, GrantId=other["GrantId"])
    same(kms.list_grants(KeyId=key_id)["Grants"], [])


@group("multi-Region keys")
def multi_region(kms):
    there = connect(OTHER_REGION)
    primary = create(kms, MultiRegion=True)
    key_id = primary["KeyId"]
    same(key_id.startswith("mrk-"), True)
    replica = kms.replicate_key(KeyId=key_id, ReplicaRegion=OTHER_REGION)["ReplicaKeyMetadata"]
    same(replica["Arn"], primary["Arn"].replace(REGION, OTHER_REGION))
    wait_for(there, key_id, "Enabled")
    blob = kms.encrypt(KeyId=key_id, Plaintext=MESSAGE, EncryptionContext=CONTEXT)["CiphertextBlob"]
    opened = there.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)
    same((opened["Plaintext"], opened["KeyId"]), (MESSAGE, replica["Arn"]))
    wait_for(kms, key_id, "Enabled")
    kms.update_primary_region(KeyId=key_id, PrimaryRegion=OTHER_REGION)
    wait_for(there, key_id, "Enabled")
    configuration = there.describe_key(KeyId=key_id)["KeyMetadata"]["MultiRegionConfiguration"]
    same((configuration["MultiRegionKeyType"], configuration["PrimaryKey"]["Region"]), ("PRIMARY", OTHER_REGION))


@group("deletion")
def deletion(kms):
    made = create(kms)
    key_id, arn = made["KeyId"], made["Arn"]
    scheduled = kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    same((scheduled["KeyId"], scheduled["KeyState"]), (arn, "PendingDeletion"))
    same(kms.describe_key(KeyId=key_id)["KeyMetadata"]["DeletionDate"], scheduled["DeletionDate"])
    pending = kms.exceptions.KMSInvalidStateException
    refused(pending, f"{arn} is pending deletion.", kms.encrypt, KeyId=key_id, Plaintext=b"x")
    same(kms.cancel_key_deletion(KeyId=key_id)["KeyId"], arn)
    same(kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"], "Disabled")


@group("errors")
def errors(kms):
    made = create(kms, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    key_id, arn = made["KeyId"], made["Arn"]
    gone = "11111111-2222-4333-8444-555555555555"
    text = f"Key '{arn.replace(key_id, gone)}' does not exist"
    refused(kms.exceptions.NotFoundException, text, kms.describe_key, KeyId=gone)
    text = f"{arn} key usage is SIGN_VERIFY which is not valid for Encrypt."
    refused(kms.exceptions.InvalidKeyUsageException, text, kms.encrypt, KeyId=key_id, Plaintext=b"x")
    text = "The request would have succeeded, but the DryRun option is set."
    request = {"KeyId": key_id, "Message": b"x", "SigningAlgorithm": "RSASSA_PSS_SHA_256", "DryRun": True}
    refused(kms.exceptions.DryRunOperationException, text, kms.sign, **request)
    error = refused(ClientError, "NumberOfBytes is required.", kms.generate_random)
    same(error.response["Error"]["Code"], "ValidationException")
    same(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)
    stranger = boto3.client("kms", REGION, aws_access_key_id="AKIAUNKNOWNUNKNOWN00", aws_secret_access_key="none")
    text = "The security token included in the request is invalid."
    error = refused(ClientError, text, stranger.list_keys)
    same(error.response["Error"]["Code"], "UnrecognizedClientException")


def main():
    kms = connect(REGION)
    failures = 0
    for name, check in GROUPS:
        try:
            check(kms)
            print(f"ok {name}", flush=True)
        except Exception as error:  # whatever one group raises, the others are still to be run
            failures += 1
            traceback.print_exc()
            print(f"FAILED {name}: {type(error).__name__}: {' '.join(str(error).split())}", flush=True)
    sys.exit(1 if failures else 0)


main()
