package smoke;

import static smoke.Smoke.CONTEXT;
import static smoke.Smoke.MESSAGE;
import static smoke.Smoke.eventually;
import static smoke.Smoke.refused;
import static smoke.Smoke.same;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.SecureRandom;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.List;
import java.util.function.Consumer;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;
import smoke.Main.Group;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kms.model.AlgorithmSpec;
import software.amazon.awssdk.services.kms.model.ConnectionErrorCodeType;
import software.amazon.awssdk.services.kms.model.ConnectionStateType;
import software.amazon.awssdk.services.kms.model.CreateCustomKeyStoreRequest;
import software.amazon.awssdk.services.kms.model.CustomKeyStoreInvalidStateException;
import software.amazon.awssdk.services.kms.model.CustomKeyStoreNameInUseException;
import software.amazon.awssdk.services.kms.model.CustomKeyStoreNotFoundException;
import software.amazon.awssdk.services.kms.model.CustomKeyStoreType;
import software.amazon.awssdk.services.kms.model.CustomKeyStoresListEntry;
import software.amazon.awssdk.services.kms.model.ExpirationModelType;
import software.amazon.awssdk.services.kms.model.ImportKeyMaterialRequest;
import software.amazon.awssdk.services.kms.model.ImportType;
import software.amazon.awssdk.services.kms.model.IncludeKeyMaterial;
import software.amazon.awssdk.services.kms.model.IncorrectKeyMaterialException;
import software.amazon.awssdk.services.kms.model.InvalidCiphertextException;
import software.amazon.awssdk.services.kms.model.InvalidImportTokenException;
import software.amazon.awssdk.services.kms.model.KeyMaterialState;
import software.amazon.awssdk.services.kms.model.KeyMetadata;
import software.amazon.awssdk.services.kms.model.KeySpec;
import software.amazon.awssdk.services.kms.model.KeyState;
import software.amazon.awssdk.services.kms.model.KeyUsageType;
import software.amazon.awssdk.services.kms.model.KmsInvalidStateException;
import software.amazon.awssdk.services.kms.model.MacAlgorithmSpec;
import software.amazon.awssdk.services.kms.model.OriginType;
import software.amazon.awssdk.services.kms.model.RotationsListEntry;
import software.amazon.awssdk.services.kms.model.WrappingKeySpec;
import software.amazon.awssdk.services.kms.model.XksProxyConfigurationType;
import software.amazon.awssdk.services.kms.model.XksProxyConnectivityType;

/** Keys whose material comes from outside, or stays there. */
final class Custody {
  static final List<Group> GROUPS = List.of(
      new Group("imported material", Custody::imported),
      new Group("imported material: MAC", Custody::importedMac),
      new Group("imported material: refusals", Custody::importRefusals),
      new Group("custom key stores: CloudHSM", Custody::cloudHsmStore),
      new Group("custom key stores: external", Custody::externalStore));

  private Custody() {}

  static byte[] someBytes(int count) {
    byte[] made = new byte[count];
    new SecureRandom().nextBytes(made);
    return made;
  }

  /** The request that imports material, encrypted as its owner does it. */
  static ImportKeyMaterialRequest wrapped(Smoke s, String keyId, byte[] material) throws Exception {
    var parameters = s.kms.getParametersForImport(r -> r.keyId(keyId)
        .wrappingAlgorithm(AlgorithmSpec.RSAES_OAEP_SHA_256).wrappingKeySpec(WrappingKeySpec.RSA_3072));
    Cipher cipher = Cipher.getInstance("RSA/ECB/OAEPPadding");
    cipher.init(Cipher.ENCRYPT_MODE,
        KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(parameters.publicKey().asByteArray())),
        new OAEPParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT));
    return ImportKeyMaterialRequest.builder().keyId(keyId).importToken(parameters.importToken())
        .encryptedKeyMaterial(SdkBytes.fromByteArray(cipher.doFinal(material)))
        .expirationModel(ExpirationModelType.KEY_MATERIAL_DOES_NOT_EXPIRE).build();
  }

  static String bring(Smoke s, String keyId, byte[] material) throws Exception {
    return s.kms.importKeyMaterial(wrapped(s, keyId, material)).keyMaterialId();
  }

  static void imported(Smoke s) throws Exception {
    KeyMetadata made = s.create(r -> r.origin(OriginType.EXTERNAL));
    String keyId = made.keyId();
    String pending = made.arn() + " is pending import.";
    same(made.keyState(), KeyState.PENDING_IMPORT);
    refused(KmsInvalidStateException.class, pending, () -> s.encrypt(keyId, CONTEXT));
    byte[] first = someBytes(32);
    String materialId = bring(s, keyId, first);
    KeyMetadata described = s.describe(keyId);
    same(List.of(described.keyState(), described.currentKeyMaterialId()), List.of(KeyState.ENABLED, materialId));
    var blob = s.encrypt(keyId, CONTEXT);
    s.kms.deleteImportedKeyMaterial(r -> r.keyId(keyId));
    refused(KmsInvalidStateException.class, pending, () -> s.decrypt(blob, CONTEXT));
    same(bring(s, keyId, first), materialId);
    var next = wrapped(s, keyId, someBytes(32));
    s.kms.importKeyMaterial(next.toBuilder().importType(ImportType.NEW_KEY_MATERIAL).build());
    s.kms.rotateKeyOnDemand(r -> r.keyId(keyId));
    var listed = s.kms.listKeyRotations(r -> r.keyId(keyId).includeKeyMaterial(IncludeKeyMaterial.ALL_KEY_MATERIAL));
    same(listed.rotations().stream().map(RotationsListEntry::keyMaterialState).toList(),
        List.of(KeyMaterialState.NON_CURRENT, KeyMaterialState.CURRENT));
    var opened = s.decrypt(blob, CONTEXT);
    same(List.of(opened.plaintext(), opened.keyMaterialId()), List.of(MESSAGE, materialId));
  }

  static void importedMac(Smoke s) throws Exception {
    String keyId = s.create(r -> r.origin(OriginType.EXTERNAL).keySpec(KeySpec.HMAC_256)
        .keyUsage(KeyUsageType.GENERATE_VERIFY_MAC)).keyId();
    byte[] material = someBytes(32);
    bring(s, keyId, material);
    Mac outside = Mac.getInstance("HmacSHA256");
    outside.init(new SecretKeySpec(material, "HmacSHA256"));
    var made = s.kms.generateMac(r -> r.keyId(keyId).message(MESSAGE).macAlgorithm(MacAlgorithmSpec.HMAC_SHA_256));
    same(made.mac(), SdkBytes.fromByteArray(outside.doFinal(MESSAGE.asByteArray())));
  }

  static void importRefusals(Smoke s) throws Exception {
    String other = s.create(r -> r.origin(OriginType.EXTERNAL)).keyId();
    KeyMetadata made = s.create(r -> r.origin(OriginType.EXTERNAL));
    String invalid = "The import token is not valid for key " + made.arn() + ".";
    var foreign = wrapped(s, other, someBytes(32));
    refused(InvalidImportTokenException.class, invalid,
        () -> s.kms.importKeyMaterial(foreign.toBuilder().keyId(made.keyId()).build()));
    var request = wrapped(s, made.keyId(), someBytes(32));
    byte[] token = request.importToken().asByteArray();
    token[token.length - 1] ^= 1;
    refused(InvalidImportTokenException.class, invalid,
        () -> s.kms.importKeyMaterial(request.toBuilder().importToken(SdkBytes.fromByteArray(token)).build()));
    // Encrypted to the wrapping key of another token.
    refused(InvalidCiphertextException.class, "", () -> s.kms.importKeyMaterial(
        request.toBuilder().encryptedKeyMaterial(foreign.encryptedKeyMaterial()).build()));
    refused(IncorrectKeyMaterialException.class,
        "The key material is not a key of spec SYMMETRIC_DEFAULT in the format of its import.",
        () -> bring(s, made.keyId(), someBytes(31)));
  }

  /** Follows a store from its creation to its deletion; it has no backend, so that it cannot be connected. */
  static CustomKeyStoresListEntry checkStore(Smoke s, CustomKeyStoreType kind, ConnectionErrorCodeType connectionError,
      Consumer<CreateCustomKeyStoreRequest.Builder> details) throws Exception {
    String name = "java " + kind + " " + System.nanoTime();
    var request = CreateCustomKeyStoreRequest.builder().applyMutation(details).customKeyStoreName(name)
        .customKeyStoreType(kind).build();
    String id = s.kms.createCustomKeyStore(request).customKeyStoreId();
    CustomKeyStoresListEntry made = describe(s, id);
    same(List.of(made.customKeyStoreName(), made.customKeyStoreType(), made.connectionState()),
        List.of(name, kind, ConnectionStateType.DISCONNECTED));
    refused(CustomKeyStoreNameInUseException.class, "Another custom key store has the same name.",
        () -> s.kms.createCustomKeyStore(request));
    s.kms.updateCustomKeyStore(r -> r.customKeyStoreId(id).newCustomKeyStoreName(name + " renamed"));
    same(describe(s, id), made.toBuilder().customKeyStoreName(name + " renamed").build());
    s.kms.connectCustomKeyStore(r -> r.customKeyStoreId(id));
    eventually("the connection fails", () -> describe(s, id).connectionState() == ConnectionStateType.FAILED);
    same(describe(s, id).connectionErrorCode(), connectionError);
    refused(CustomKeyStoreInvalidStateException.class,
        "The connection state of custom key store " + id + " is FAILED, which does not allow this operation.",
        () -> s.kms.deleteCustomKeyStore(r -> r.customKeyStoreId(id)));
    s.kms.disconnectCustomKeyStore(r -> r.customKeyStoreId(id));
    eventually("the store is disconnected",
        () -> describe(s, id).connectionState() == ConnectionStateType.DISCONNECTED);
    s.kms.deleteCustomKeyStore(r -> r.customKeyStoreId(id));
    refused(CustomKeyStoreNotFoundException.class, "Custom key store " + id + " is not found.", () -> describe(s, id));
    return made;
  }

  static CustomKeyStoresListEntry describe(Smoke s, String id) {
    return s.kms.describeCustomKeyStores(r -> r.customKeyStoreId(id)).customKeyStores().get(0);
  }

  static void cloudHsmStore(Smoke s) throws Exception {
    String anchor = Files.readString(Path.of(System.getenv("INTEROP_TRUST_ANCHOR")));
    var made = checkStore(s, CustomKeyStoreType.AWS_CLOUDHSM, ConnectionErrorCodeType.CLUSTER_NOT_FOUND,
        r -> r.cloudHsmClusterId("cluster-smokesofjava").trustAnchorCertificate(anchor).keyStorePassword("a-password"));
    same(List.of(made.cloudHsmClusterId(), made.trustAnchorCertificate()), List.of("cluster-smokesofjava", anchor));
  }

  static void externalStore(Smoke s) throws Exception {
    var expected = XksProxyConfigurationType.builder().accessKeyId("SMOKESOFJAVASMOKESOF")
        .connectivity(XksProxyConnectivityType.VPC_ENDPOINT_SERVICE).uriEndpoint("https://java.example.com")
        .uriPath("/kms/xks/v1")
        .vpcEndpointServiceName("com.amazonaws.vpce.us-east-1.vpce-svc-0a1b2c3d4e5f60002").build();
    var made = checkStore(s, CustomKeyStoreType.EXTERNAL_KEY_STORE, ConnectionErrorCodeType.XKS_PROXY_NOT_REACHABLE,
        r -> r.xksProxyConnectivity(expected.connectivity()).xksProxyUriEndpoint(expected.uriEndpoint())
            .xksProxyUriPath(expected.uriPath()).xksProxyVpcEndpointServiceName(expected.vpcEndpointServiceName())
            .xksProxyAuthenticationCredential(
                c -> c.accessKeyId(expected.accessKeyId()).rawSecretAccessKey("a".repeat(43))));
    same(made.xksProxyConfiguration(), expected);
  }
}
