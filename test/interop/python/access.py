"""Who may do what. The environment names the administrator, a user that no policy allows anything, and a role."""

import json
import os

from botocore.exceptions import ClientError

from harness import CONTEXT, MESSAGE, REGION, connect, create, denied, group, refused, same

USER = os.environ["INTEROP_USER_ARN"]
ROLE = os.environ["INTEROP_ROLE_ARN"]
USER_CREDENTIALS = {
    "aws_access_key_id": os.environ["INTEROP_USER_ACCESS_KEY_ID"],
    "aws_secret_access_key": os.environ["INTEROP_USER_SECRET_ACCESS_KEY"],
}

HIDDEN = (
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, "
    "or you are not allowed to access."
)


def unallowed(action):
    return f"because no identity-based policy allows the {action} action"


def session(credentials):
    """The credentials of an answer of STS, as the arguments of a client."""
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


@group("identities")
def identities(kms):
    user = connect(REGION, **USER_CREDENTIALS)
    administrator = connect(REGION, "sts").get_caller_identity()["Arn"]
    made = create(kms)
    key_id, arn = made["KeyId"], made["Arn"]
    blob = kms.encrypt(KeyId=key_id, Plaintext=MESSAGE)["CiphertextBlob"]
    denied(USER, "kms:CreateKey", "*", unallowed("kms:CreateKey"), user.create_key)
    denied(USER, "kms:DescribeKey", arn, unallowed("kms:DescribeKey"), user.describe_key, KeyId=key_id)
    decryption = {"KeyId": key_id, "CiphertextBlob": blob}
    denied(USER, "kms:Decrypt", arn, unallowed("kms:Decrypt"), user.decrypt, **decryption)
    # Who does not name the key does not learn from the ciphertext which one it is.
    error = refused(ClientError, HIDDEN, user.decrypt, CiphertextBlob=blob)
    same(error.response["Error"]["Code"], "AccessDeniedException")
    policy = json.loads(kms.get_key_policy(KeyId=key_id)["Policy"])
    policy["Statement"] += [
        {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "kms:Decrypt", "Resource": "*"},
        {"Effect": "Deny", "Principal": {"AWS": administrator}, "Action": "kms:Decrypt", "Resource": "*"},
    ]
    kms.put_key_policy(KeyId=key_id, Policy=json.dumps(policy))
    same(user.decrypt(CiphertextBlob=blob)["Plaintext"], MESSAGE)
    request = {"KeyId": key_id, "Plaintext": MESSAGE}
    denied(USER, "kms:Encrypt", arn, unallowed("kms:Encrypt"), user.encrypt, **request)
    kms.encrypt(**request)
    reason = "with an explicit deny in a resource-based policy"
    denied(administrator, "kms:Decrypt", arn, reason, kms.decrypt, **decryption)


@group("grants to another identity")
def grants(kms):
    user = connect(REGION, **USER_CREDENTIALS)
    made = create(kms)
    key_id, arn = made["KeyId"], made["Arn"]
    request = {
        "KeyId": key_id,
        "CiphertextBlob": kms.encrypt(KeyId=key_id, Plaintext=MESSAGE, EncryptionContext=CONTEXT)["CiphertextBlob"],
        "EncryptionContext": CONTEXT,
    }
    refusal = (USER, "kms:Decrypt", arn, unallowed("kms:Decrypt"))
    denied(*refusal, user.decrypt, **request)
    granted = kms.create_grant(
        KeyId=key_id,
        GranteePrincipal=USER,
        Operations=["Decrypt"],
        Constraints={"EncryptionContextSubset": {"tenant": "42"}},
    )
    opened = user.decrypt(**request, GrantTokens=[granted["GrantToken"]])
    same((opened["Plaintext"], opened["KeyId"]), (MESSAGE, arn))
    elsewhere = {"tenant": "43"}
    other = kms.encrypt(KeyId=key_id, Plaintext=MESSAGE, EncryptionContext=elsewhere)["CiphertextBlob"]
    outside = {**request, "CiphertextBlob": other, "EncryptionContext": elsewhere}
    denied(*refusal, user.decrypt, **outside, GrantTokens=[granted["GrantToken"]])
    encryption = {"KeyId": key_id, "Plaintext": MESSAGE, "EncryptionContext": CONTEXT}
    denied(USER, "kms:Encrypt", arn, unallowed("kms:Encrypt"), user.encrypt, **encryption)
    kms.revoke_grant(KeyId=key_id, GrantId=granted["GrantId"])
    denied(*refusal, user.decrypt, **request)


@group("AWS managed keys")
def managed(kms):
    administrator = connect(REGION, "sts").get_caller_identity()["Arn"]
    made = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    same((made["KeyManager"], made["KeyState"], made["Origin"]), ("AWS", "Enabled", "AWS_KMS"))
    same(kms.describe_key(KeyId=made["Arn"])["KeyMetadata"], made)
    (alias,) = kms.list_aliases(KeyId=made["KeyId"])["Aliases"]
    same(alias["AliasName"], "alias/aws/s3")
    # Only the service that it belongs to uses the key.
    reason = "because no resource-based policy allows the kms:Encrypt action"
    request = {"KeyId": "alias/aws/s3", "Plaintext": MESSAGE}
    denied(administrator, "kms:Encrypt", made["Arn"], reason, kms.encrypt, **request)


@group("STS")
def sts(kms):
    ours, theirs = connect(REGION, "sts"), connect(REGION, "sts", **USER_CREDENTIALS)
    administrator, user = ours.get_caller_identity(), theirs.get_caller_identity()
    made = create(kms)
    same((administrator["Account"], user["Account"]), (made["AWSAccountId"], made["AWSAccountId"]))
    same((administrator["Arn"] == USER, user["Arn"]), (False, USER))
    request = {"RoleArn": ROLE, "RoleSessionName": "python"}
    text = f"User: {administrator['Arn']} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    same(refused(ClientError, text, ours.assume_role, **request).response["Error"]["Code"], "AccessDenied")
    assumed = theirs.assume_role(**request)
    arn = assumed["AssumedRoleUser"]["Arn"]
    same(arn, ROLE.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/python")
    same(connect(REGION, "sts", **session(assumed["Credentials"])).get_caller_identity()["Arn"], arn)
    encrypter = connect(REGION, **session(assumed["Credentials"]))
    blob = encrypter.encrypt(KeyId=made["KeyId"], Plaintext=MESSAGE)["CiphertextBlob"]
    decryption = {"KeyId": made["KeyId"], "CiphertextBlob": blob}
    denied(arn, "kms:Decrypt", made["Arn"], unallowed("kms:Decrypt"), encrypter.decrypt, **decryption)
    temporary = session(ours.get_session_token(DurationSeconds=900)["Credentials"])
    same(connect(REGION, **temporary).decrypt(CiphertextBlob=blob)["Plaintext"], MESSAGE)
    unknown = connect(REGION, "sts", aws_access_key_id="AKIAUNKNOWNUNKNOWN00", aws_secret_access_key="none")
    text = "The security token included in the request is invalid."
    error = refused(ClientError, text, unknown.get_caller_identity)
    same(error.response["Error"]["Code"], "InvalidClientTokenId")
