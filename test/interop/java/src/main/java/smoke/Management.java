package smoke;

import static smoke.Smoke.CONTEXT;
import static smoke.Smoke.MESSAGE;
import static smoke.Smoke.eventually;
import static smoke.Smoke.refused;
import static smoke.Smoke.same;

import java.util.List;
import java.util.Map;
import smoke.Main.Group;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.AlreadyExistsException;
import software.amazon.awssdk.services.kms.model.DisabledException;
import software.amazon.awssdk.services.kms.model.DryRunOperationException;
import software.amazon.awssdk.services.kms.model.GrantListEntry;
import software.amazon.awssdk.services.kms.model.GrantOperation;
import software.amazon.awssdk.services.kms.model.InvalidKeyUsageException;
import software.amazon.awssdk.services.kms.model.KeyMetadata;
import software.amazon.awssdk.services.kms.model.KeySpec;
import software.amazon.awssdk.services.kms.model.KeyState;
import software.amazon.awssdk.services.kms.model.KeyUsageType;
import software.amazon.awssdk.services.kms.model.KmsException;
import software.amazon.awssdk.services.kms.model.KmsInvalidStateException;
import software.amazon.awssdk.services.kms.model.MalformedPolicyDocumentException;
import software.amazon.awssdk.services.kms.model.MultiRegionKeyType;
import software.amazon.awssdk.services.kms.model.NotFoundException;
import software.amazon.awssdk.services.kms.model.RotationType;
import software.amazon.awssdk.services.kms.model.SigningAlgorithmSpec;
import software.amazon.awssdk.services.kms.model.Tag;
import software.amazon.awssdk.services.kms.model.TagException;

/** Everything around keys that uses no key. */
final class Management {
  static final List<Group> GROUPS = List.of(
      new Group("keys", Management::keys),
      new Group("aliases", Management::aliases),
      new Group("tags", Management::tags),
      new Group("policies", Management::policies),
      new Group("rotation", Management::rotation),
      new Group("last usage", Management::lastUsage),
      new Group("grants", Management::grants),
      new Group("multi-Region keys", Management::multiRegion),
      new Group("deletion", Management::deletion),
      new Group("errors", Management::errors));

  private Management() {}

  static void keys(Smoke s) throws Exception {
    KeyMetadata made = s.create(r -> r.description("first"));
    String keyId = made.keyId();
    same(made.arn(), "arn:aws:kms:" + Smoke.REGION + ":" + made.awsAccountId() + ":key/" + keyId);
    s.kms.updateKeyDescription(r -> r.keyId(keyId).description("second"));
    same(s.describe(made.arn()), made.toBuilder().description("second").build());
    same(s.kms.listKeysPaginator(r -> r.limit(2)).keys().stream().filter(k -> k.keyArn().equals(made.arn())).count(), 1L);
    s.kms.disableKey(r -> r.keyId(keyId));
    refused(DisabledException.class, made.arn() + " is disabled.", () -> s.encrypt(keyId, CONTEXT));
    s.kms.enableKey(r -> r.keyId(keyId));
    same(s.describe(keyId).enabled(), true);
  }

  static void aliases(Smoke s) throws Exception {
    String name = "alias/java-" + System.nanoTime() + "-" + ProcessHandle.current().pid();
    KeyMetadata first = s.create();
    KeyMetadata second = s.create();
    s.kms.createAlias(r -> r.aliasName(name).targetKeyId(first.keyId()));
    String aliasArn = first.arn().split(":key/")[0] + ":" + name;
    same(s.kms.listAliases(r -> r.keyId(first.keyId())).aliases().get(0).aliasArn(), aliasArn);
    var blob = s.encrypt(name, CONTEXT);
    refused(AlreadyExistsException.class, "An alias with the name " + aliasArn + " already exists",
        () -> s.kms.createAlias(r -> r.aliasName(name).targetKeyId(second.keyId())));
    s.kms.updateAlias(r -> r.aliasName(name).targetKeyId(second.keyId()));
    same(s.describe(aliasArn).arn(), second.arn());
    same(s.decrypt(blob, CONTEXT).plaintext(), MESSAGE);
    s.kms.deleteAlias(r -> r.aliasName(name));
    refused(NotFoundException.class, "Alias " + aliasArn + " is not found.", () -> s.describe(name));
  }

  static Tag tag(String key, String value) {
    return Tag.builder().tagKey(key).tagValue(value).build();
  }

  static void tags(Smoke s) throws Exception {
    String keyId = s.create(r -> r.tags(tag("stage", "test"))).keyId();
    s.kms.tagResource(r -> r.keyId(keyId).tags(tag("owner", "Zo\u00eb")));
    s.kms.untagResource(r -> r.keyId(keyId).tagKeys("stage"));
    same(s.kms.listResourceTags(r -> r.keyId(keyId)).tags(), List.of(tag("owner", "Zo\u00eb")));
    refused(TagException.class, "Tags beginning with aws: are reserved",
        () -> s.kms.tagResource(r -> r.keyId(keyId).tags(tag("aws:x", ""))));
  }

  static void policies(Smoke s) throws Exception {
    KeyMetadata made = s.create();
    String keyId = made.keyId();
    same(s.kms.listKeyPolicies(r -> r.keyId(keyId)).policyNames(), List.of("default"));
    same(s.kms.getKeyPolicy(r -> r.keyId(keyId)).policy().contains(made.awsAccountId() + ":root"), true);
    String policy = "{\"Version\":\"2012-10-17\",\"Id\":\"changed\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":"
        + "{\"AWS\":\"arn:aws:iam::" + made.awsAccountId() + ":root\"},\"Action\":\"kms:*\",\"Resource\":\"*\"}]}";
    s.kms.putKeyPolicy(r -> r.keyId(keyId).policy(policy));
    same(s.kms.getKeyPolicy(r -> r.keyId(keyId)).policy().replaceAll("\\s", ""), policy);
    try {
      s.kms.putKeyPolicy(r -> r.keyId(keyId).policy("{"));
      throw new AssertionError("a broken policy was taken");
    } catch (MalformedPolicyDocumentException expected) {
      same(expected.statusCode(), 400);
    }
  }

  static void rotation(Smoke s) throws Exception {
    KeyMetadata made = s.create();
    String keyId = made.keyId();
    var blob = s.encrypt(keyId, CONTEXT);
    s.kms.enableKeyRotation(r -> r.keyId(keyId).rotationPeriodInDays(180));
    var status = s.kms.getKeyRotationStatus(r -> r.keyId(keyId));
    same(List.of(status.keyRotationEnabled(), status.rotationPeriodInDays()), List.of(true, 180));
    s.kms.rotateKeyOnDemand(r -> r.keyId(keyId));
    eventually("the rotation is listed", () -> {
      var rotations = s.kms.listKeyRotations(r -> r.keyId(keyId)).rotations();
      return rotations.size() == 1 && rotations.get(0).rotationType() == RotationType.ON_DEMAND;
    });
    var opened = s.decrypt(blob, CONTEXT);
    same(List.of(opened.plaintext(), opened.keyMaterialId()), List.of(MESSAGE, made.currentKeyMaterialId()));
    var renewed = s.decrypt(s.encrypt(keyId, CONTEXT), CONTEXT);
    same(renewed.keyMaterialId().equals(made.currentKeyMaterialId()), false);
    s.kms.disableKeyRotation(r -> r.keyId(keyId));
    same(s.kms.getKeyRotationStatus(r -> r.keyId(keyId)).keyRotationEnabled(), false);
  }

  static void lastUsage(Smoke s) {
    String keyId = s.create().keyId();
    s.encrypt(keyId, CONTEXT);
    same(s.kms.getKeyLastUsage(r -> r.keyId(keyId)).keyLastUsage().operationAsString(), "Encrypt");
  }

  static void grants(Smoke s) {
    KeyMetadata made = s.create();
    String keyId = made.keyId();
    String principal = "arn:aws:iam::" + made.awsAccountId() + ":root";
    Map<String, String> subset = Map.of("tenant", "42");
    var granted = s.kms.createGrant(r -> r.keyId(keyId).granteePrincipal(principal).retiringPrincipal(principal)
        .operations(GrantOperation.ENCRYPT, GrantOperation.DECRYPT).constraints(c -> c.encryptionContextSubset(subset)));
    String token = granted.grantToken();
    var blob = s.kms.encrypt(r -> r.keyId(keyId).plaintext(MESSAGE).encryptionContext(CONTEXT).grantTokens(token))
        .ciphertextBlob();
    same(s.kms.decrypt(r -> r.ciphertextBlob(blob).encryptionContext(CONTEXT).grantTokens(token)).plaintext(), MESSAGE);
    GrantListEntry listed = s.kms.listGrants(r -> r.keyId(keyId)).grants().get(0);
    same(listed.grantId(), granted.grantId());
    same(listed.constraints().encryptionContextSubset(), subset);
    same(s.kms.listRetirableGrants(r -> r.retiringPrincipal(principal)).grants().contains(listed), true);
    s.kms.retireGrant(r -> r.grantToken(token));
    var other = s.kms.createGrant(r -> r.keyId(keyId).granteePrincipal(principal).operations(GrantOperation.DECRYPT));
    s.kms.revokeGrant(r -> r.keyId(keyId).grantId(other.grantId()));
    same(s.kms.listGrants(r -> r.keyId(keyId)).grants(), List.of());
  }

  static void multiRegion(Smoke s) throws Exception {
    Smoke there = new Smoke(Smoke.OTHER_REGION);
    KeyMetadata primary = s.create(r -> r.multiRegion(true));
    String keyId = primary.keyId();
    String region = Smoke.OTHER_REGION.id();
    KeyMetadata replica = s.kms.replicateKey(r -> r.keyId(keyId).replicaRegion(region)).replicaKeyMetadata();
    same(replica.arn(), primary.arn().replace(Smoke.REGION.id(), region));
    there.waitUntilEnabled(keyId);
    var opened = there.decrypt(s.encrypt(keyId, CONTEXT), CONTEXT);
    same(List.of(opened.plaintext(), opened.keyId()), List.of(MESSAGE, replica.arn()));
    s.waitUntilEnabled(keyId);
    s.kms.updatePrimaryRegion(r -> r.keyId(keyId).primaryRegion(region));
    there.waitUntilEnabled(keyId);
    same(there.describe(keyId).multiRegionConfiguration().multiRegionKeyType(), MultiRegionKeyType.PRIMARY);
  }

  static void deletion(Smoke s) throws Exception {
    KeyMetadata made = s.create();
    String keyId = made.keyId();
    var scheduled = s.kms.scheduleKeyDeletion(r -> r.keyId(keyId).pendingWindowInDays(7));
    same(s.describe(keyId).deletionDate(), scheduled.deletionDate());
    refused(KmsInvalidStateException.class, made.arn() + " is pending deletion.", () -> s.encrypt(keyId, CONTEXT));
    s.kms.cancelKeyDeletion(r -> r.keyId(keyId));
    same(s.describe(keyId).keyState(), KeyState.DISABLED);
  }

  static void errors(Smoke s) throws Exception {
    KeyMetadata made = s.create(r -> r.keySpec(KeySpec.RSA_2048).keyUsage(KeyUsageType.SIGN_VERIFY));
    String keyId = made.keyId();
    String gone = "11111111-2222-4333-8444-555555555555";
    refused(NotFoundException.class, "Key '" + made.arn().replace(keyId, gone) + "' does not exist",
        () -> s.describe(gone));
    refused(InvalidKeyUsageException.class, made.arn() + " key usage is SIGN_VERIFY which is not valid for Encrypt.",
        () -> s.encrypt(keyId, CONTEXT));
    refused(DryRunOperationException.class, "The request would have succeeded, but the DryRun option is set.",
        () -> s.kms.sign(r -> r.keyId(keyId).message(MESSAGE).signingAlgorithm(SigningAlgorithmSpec.RSASSA_PSS_SHA_256)
            .dryRun(true)));
    KmsException invalid = refused(KmsException.class, "NumberOfBytes is required.", s.kms::generateRandom);
    same(invalid.awsErrorDetails().errorCode(), "ValidationException");
    var unknown = AwsBasicCredentials.create("AKIAUNKNOWNUNKNOWN00", "none");
    try (KmsClient stranger = KmsClient.builder().region(Smoke.REGION)
        .credentialsProvider(StaticCredentialsProvider.create(unknown)).build()) {
      KmsException error = refused(KmsException.class, "The security token included in the request is invalid.",
          stranger::listKeys);
      same(error.awsErrorDetails().errorCode(), "UnrecognizedClientException");
    }
  }
}
