"""What all groups of operations share: the list of them, clients, and checks that raise."""

import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import serialization

REGION = "us-east-1"
OTHER_REGION = "eu-west-1"
CONTEXT = {"tenant": "42", "purpose": "Rücklage ✓"}
MESSAGE = b"a message of the smoke"
GROUPS = []


def group(name):
    def add(function):
        GROUPS.append((name, function))
        return function

    return add


def connect(region, service="kms", **credentials):
    """A client; endpoint and, unless there are others, credentials are those of the environment."""
    return boto3.client(service, region_name=region, config=Config(retries={"total_max_attempts": 1}), **credentials)


def same(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r} instead of {expected!r}")


def refused(error_class, message, call, **arguments):
    """The call fails with this class of the SDK and this text."""
    try:
        call(**arguments)
    except error_class as error:
        same(error.response["Error"].get("Message", ""), message)
        return error
    raise AssertionError(f"no {error_class.__name__}")


def denied(caller_arn, action, resource, reason, call, **arguments):
    """The call fails because of policies; KMS has no class for this error."""
    text = f"User: {caller_arn} is not authorized to perform: {action} on resource: {resource} {reason}"
    same(refused(ClientError, text, call, **arguments).response["Error"]["Code"], "AccessDeniedException")


def create(kms, **arguments):
    return kms.create_key(**arguments)["KeyMetadata"]


def create_pair(kms, spec, usage):
    """A new asymmetric key, and its public key as an object of `cryptography`."""
    key_id = create(kms, KeySpec=spec, KeyUsage=usage)["KeyId"]
    answer = kms.get_public_key(KeyId=key_id)
    same((answer["KeySpec"], answer["KeyUsage"]), (spec, usage))
    return key_id, serialization.load_der_public_key(answer["PublicKey"])


def wait_for(kms, key_id, state):
    for _ in range(100):
        if kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == state:
            return
        time.sleep(0.1)
    raise AssertionError(f"{key_id} did not become {state}")
