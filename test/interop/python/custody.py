"""Keys whose material comes from outside, or stays there."""

import os
import time

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from harness import MESSAGE, create, group, refused, same

ALGORITHM = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_3072"}


def wrapped(kms, key_id, material):
    """The material for ImportKeyMaterial, as its owner encrypts it."""
    parameters = kms.get_parameters_for_import(KeyId=key_id, **ALGORITHM)
    public = serialization.load_der_public_key(parameters["PublicKey"])
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    return {
        "ImportToken": parameters["ImportToken"],
        "EncryptedKeyMaterial": public.encrypt(material, oaep),
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }


@group("imported material")
def imported(kms):
    made = create(kms, Origin="EXTERNAL")
    key_id, arn = made["KeyId"], made["Arn"]
    same((made["KeyState"], made["Origin"]), ("PendingImport", "EXTERNAL"))
    pending = (kms.exceptions.KMSInvalidStateException, f"{arn} is pending import.")
    refused(*pending, kms.encrypt, KeyId=key_id, Plaintext=MESSAGE)
    first, second = os.urandom(32), os.urandom(32)
    material_id = kms.import_key_material(KeyId=key_id, **wrapped(kms, key_id, first))["KeyMaterialId"]
    described = kms.describe_key(KeyId=key_id)["KeyMetadata"]
    same((described["KeyState"], described["CurrentKeyMaterialId"]), ("Enabled", material_id))
    blob = kms.encrypt(KeyId=key_id, Plaintext=MESSAGE)["CiphertextBlob"]
    kms.delete_imported_key_material(KeyId=key_id, KeyMaterialId=material_id)
    refused(*pending, kms.decrypt, CiphertextBlob=blob)
    again = kms.import_key_material(KeyId=key_id, **wrapped(kms, key_id, first))
    same((again["KeyId"], again["KeyMaterialId"]), (arn, material_id))
    kms.import_key_material(KeyId=key_id, ImportType="NEW_KEY_MATERIAL", **wrapped(kms, key_id, second))
    kms.rotate_key_on_demand(KeyId=key_id)
    listed = kms.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    same([entry["KeyMaterialState"] for entry in listed], ["NON_CURRENT", "CURRENT"])
    opened = kms.decrypt(CiphertextBlob=blob)
    same((opened["Plaintext"], opened["KeyMaterialId"]), (MESSAGE, material_id))


@group("imported material: MAC")
def imported_mac(kms):
    key_id = create(kms, Origin="EXTERNAL", KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyId"]
    material = os.urandom(32)
    kms.import_key_material(KeyId=key_id, **wrapped(kms, key_id, material))
    outside = hmac.HMAC(material, hashes.SHA256())
    outside.update(MESSAGE)
    made = kms.generate_mac(KeyId=key_id, Message=MESSAGE, MacAlgorithm="HMAC_SHA_256")
    same(made["Mac"], outside.finalize())


@group("imported material: refusals")
def import_refusals(kms):
    first, second = (create(kms, Origin="EXTERNAL") for _ in range(2))
    foreign = wrapped(kms, first["KeyId"], os.urandom(32))
    invalid = (kms.exceptions.InvalidImportTokenException, f"The import token is not valid for key {second['Arn']}.")
    refused(*invalid, kms.import_key_material, KeyId=second["KeyId"], **foreign)
    request = wrapped(kms, second["KeyId"], os.urandom(32))
    token = request["ImportToken"]
    damaged = {**request, "ImportToken": token[:-1] + bytes([token[-1] ^ 1])}
    refused(*invalid, kms.import_key_material, KeyId=second["KeyId"], **damaged)
    # Encrypted to the wrapping key of another token.
    mixed = {**request, "EncryptedKeyMaterial": foreign["EncryptedKeyMaterial"]}
    refused(kms.exceptions.InvalidCiphertextException, "", kms.import_key_material, KeyId=second["KeyId"], **mixed)
    text = f"The key material is not a key of spec {second['KeySpec']} in the format of its import."
    short = wrapped(kms, second["KeyId"], os.urandom(31))
    wrong = kms.exceptions.IncorrectKeyMaterialException
    refused(wrong, text, kms.import_key_material, KeyId=second["KeyId"], **short)


def describe(kms, store_id):
    (store,) = kms.describe_custom_key_stores(CustomKeyStoreId=store_id)["CustomKeyStores"]
    return store


def wait_for(kms, store_id, state):
    for _ in range(100):
        store = describe(kms, store_id)
        if store["ConnectionState"] == state:
            return store
        time.sleep(0.1)
    raise AssertionError(f"{store_id} did not become {state}")


def check_store(kms, kind, connection_error, details):
    """A store from its creation to its deletion; it has no backend, so that it cannot be connected."""
    name = f"python {kind} {time.time_ns()}"
    request = {"CustomKeyStoreName": name, "CustomKeyStoreType": kind, **details}
    store_id = kms.create_custom_key_store(**request)["CustomKeyStoreId"]
    made = describe(kms, store_id)
    same((made["CustomKeyStoreName"], made["CustomKeyStoreType"]), (name, kind))
    same(made["ConnectionState"], "DISCONNECTED")
    text = "Another custom key store has the same name."
    refused(kms.exceptions.CustomKeyStoreNameInUseException, text, kms.create_custom_key_store, **request)
    kms.update_custom_key_store(CustomKeyStoreId=store_id, NewCustomKeyStoreName=f"{name} renamed")
    same(describe(kms, store_id), {**made, "CustomKeyStoreName": f"{name} renamed"})
    kms.connect_custom_key_store(CustomKeyStoreId=store_id)
    same(wait_for(kms, store_id, "FAILED")["ConnectionErrorCode"], connection_error)
    text = f"The connection state of custom key store {store_id} is FAILED, which does not allow this operation."
    wrong_state = (kms.exceptions.CustomKeyStoreInvalidStateException, text)
    refused(*wrong_state, kms.delete_custom_key_store, CustomKeyStoreId=store_id)
    kms.disconnect_custom_key_store(CustomKeyStoreId=store_id)
    wait_for(kms, store_id, "DISCONNECTED")
    kms.delete_custom_key_store(CustomKeyStoreId=store_id)
    text = f"Custom key store {store_id} is not found."
    gone = (kms.exceptions.CustomKeyStoreNotFoundException, text)
    refused(*gone, kms.describe_custom_key_stores, CustomKeyStoreId=store_id)
    return made


@group("custom key stores: CloudHSM")
def cloud_hsm_store(kms):
    with open(os.environ["INTEROP_TRUST_ANCHOR"], encoding="ascii") as file:
        anchor = file.read()
    details = {
        "CloudHsmClusterId": "cluster-pythonsmoke",
        "TrustAnchorCertificate": anchor,
        "KeyStorePassword": "a-password",
    }
    made = check_store(kms, "AWS_CLOUDHSM", "CLUSTER_NOT_FOUND", details)
    same((made["CloudHsmClusterId"], made["TrustAnchorCertificate"]), ("cluster-pythonsmoke", anchor))
    same("KeyStorePassword" in made, False)


@group("custom key stores: external")
def external_store(kms):
    uri = {"XksProxyUriEndpoint": "https://python.example.com", "XksProxyUriPath": "/kms/xks/v1"}
    credential = {"AccessKeyId": "PYTHONSMOKEPYTHONSMOKE", "RawSecretAccessKey": "a" * 43}
    service = "com.amazonaws.vpce.us-east-1.vpce-svc-0a1b2c3d4e5f60003"
    # A proxy with a public endpoint would have to answer now; this one is looked for when it is connected.
    details = {**uri, "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE", "XksProxyVpcEndpointServiceName": service}
    details |= {"XksProxyAuthenticationCredential": credential}
    made = check_store(kms, "EXTERNAL_KEY_STORE", "XKS_PROXY_NOT_REACHABLE", details)
    expected = {"Connectivity": "VPC_ENDPOINT_SERVICE", "AccessKeyId": credential["AccessKeyId"]}
    expected |= {"VpcEndpointServiceName": service}
    expected |= {"UriEndpoint": uri["XksProxyUriEndpoint"], "UriPath": uri["XksProxyUriPath"]}
    same(made["XksProxyConfiguration"], expected)
