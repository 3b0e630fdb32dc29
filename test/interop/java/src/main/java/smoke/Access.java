package smoke;

import static smoke.Smoke.CONTEXT;
import static smoke.Smoke.MESSAGE;
import static smoke.Smoke.refused;
import static smoke.Smoke.same;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import smoke.Main.Group;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.services.kms.model.GrantOperation;
import software.amazon.awssdk.services.kms.model.KeyManagerType;
import software.amazon.awssdk.services.kms.model.KeyMetadata;
import software.amazon.awssdk.services.kms.model.KeyState;
import software.amazon.awssdk.services.kms.model.KmsException;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.model.Credentials;
import software.amazon.awssdk.services.sts.model.StsException;

/** Who may do what. The environment names the administrator, a user that no policy allows anything, and a role. */
final class Access {
  static final List<Group> GROUPS = List.of(
      new Group("identities", Access::identities),
      new Group("grants to another identity", Access::grants),
      new Group("AWS managed keys", Access::managed),
      new Group("STS", Access::sts));

  private static final String USER = System.getenv("INTEROP_USER_ARN");
  private static final String ROLE = System.getenv("INTEROP_ROLE_ARN");
  private static final AwsCredentialsProvider USER_CREDENTIALS = basic(
      System.getenv("INTEROP_USER_ACCESS_KEY_ID"), System.getenv("INTEROP_USER_SECRET_ACCESS_KEY"));

  private Access() {}

  static AwsCredentialsProvider basic(String accessKeyId, String secretAccessKey) {
    return StaticCredentialsProvider.create(AwsBasicCredentials.create(accessKeyId, secretAccessKey));
  }

  static AwsCredentialsProvider session(Credentials made) {
    return StaticCredentialsProvider.create(
        AwsSessionCredentials.create(made.accessKeyId(), made.secretAccessKey(), made.sessionToken()));
  }

  static StsClient tokens(AwsCredentialsProvider credentials) {
    return StsClient.builder().region(Smoke.REGION).credentialsProvider(credentials)
        .overrideConfiguration(o -> o.retryStrategy(r -> r.maxAttempts(1))).build();
  }

  static String administrator() {
    try (StsClient ours = tokens(DefaultCredentialsProvider.builder().build())) {
      return ours.getCallerIdentity().arn();
    }
  }

  /** The call fails because of policies; KMS has no class for this error. */
  static void denied(String callerArn, String action, String resource, String reason, Callable<?> call)
      throws Exception {
    String text = "User: " + callerArn + " is not authorized to perform: " + action + " on resource: " + resource;
    KmsException error = refused(KmsException.class, text + " " + reason, call);
    same(error.awsErrorDetails().errorCode(), "AccessDeniedException");
  }

  /** The call fails because no policy of the caller allows the action. */
  static void unallowed(String callerArn, String action, String resource, Callable<?> call) throws Exception {
    denied(callerArn, action, resource, "because no identity-based policy allows the " + action + " action", call);
  }

  static String statement(String effect, String principal) {
    return "{\"Effect\":\"" + effect + "\",\"Principal\":{\"AWS\":\"" + principal
        + "\"},\"Action\":\"kms:Decrypt\",\"Resource\":\"*\"}";
  }

  static void identities(Smoke s) throws Exception {
    Smoke user = new Smoke(Smoke.REGION, USER_CREDENTIALS);
    String administrator = administrator();
    KeyMetadata made = s.create();
    String keyId = made.keyId();
    var blob = s.encrypt(keyId, CONTEXT);
    unallowed(USER, "kms:CreateKey", "*", user::create);
    unallowed(USER, "kms:DescribeKey", made.arn(), () -> user.describe(keyId));
    unallowed(USER, "kms:Decrypt", made.arn(), () -> user.decrypt(keyId, blob, CONTEXT));
    String policy = s.kms.getKeyPolicy(r -> r.keyId(keyId)).policy();
    int end = policy.lastIndexOf(']');
    String changed = policy.substring(0, end) + "," + statement("Allow", USER) + ","
        + statement("Deny", administrator) + policy.substring(end);
    s.kms.putKeyPolicy(r -> r.keyId(keyId).policy(changed));
    same(user.decrypt(keyId, blob, CONTEXT).plaintext(), MESSAGE);
    unallowed(USER, "kms:Encrypt", made.arn(), () -> user.encrypt(keyId, CONTEXT));
    s.encrypt(keyId, CONTEXT);
    denied(administrator, "kms:Decrypt", made.arn(), "with an explicit deny in a resource-based policy",
        () -> s.decrypt(keyId, blob, CONTEXT));
  }

  static void grants(Smoke s) throws Exception {
    Smoke user = new Smoke(Smoke.REGION, USER_CREDENTIALS);
    KeyMetadata made = s.create();
    String keyId = made.keyId();
    var blob = s.encrypt(keyId, CONTEXT);
    unallowed(USER, "kms:Decrypt", made.arn(), () -> user.decrypt(keyId, blob, CONTEXT));
    var granted = s.kms.createGrant(r -> r.keyId(keyId).granteePrincipal(USER).operations(GrantOperation.DECRYPT)
        .constraints(c -> c.encryptionContextSubset(Map.of("tenant", "42"))));
    String token = granted.grantToken();
    same(user.decrypt(keyId, blob, CONTEXT, token).plaintext(), MESSAGE);
    Map<String, String> elsewhere = Map.of("tenant", "43");
    var other = s.encrypt(keyId, elsewhere);
    unallowed(USER, "kms:Decrypt", made.arn(), () -> user.decrypt(keyId, other, elsewhere, token));
    unallowed(USER, "kms:Encrypt", made.arn(), () -> user.encrypt(keyId, CONTEXT));
    s.kms.revokeGrant(r -> r.keyId(keyId).grantId(granted.grantId()));
    unallowed(USER, "kms:Decrypt", made.arn(), () -> user.decrypt(keyId, blob, CONTEXT));
  }

  static void managed(Smoke s) throws Exception {
    KeyMetadata made = s.describe("alias/aws/s3");
    same(List.of(made.keyManager(), made.keyState()), List.of(KeyManagerType.AWS, KeyState.ENABLED));
    same(s.describe(made.arn()), made);
    same(s.kms.listAliases(r -> r.keyId(made.keyId())).aliases().get(0).aliasName(), "alias/aws/s3");
    // Only the service that it belongs to uses the key.
    denied(administrator(), "kms:Encrypt", made.arn(), "because no resource-based policy allows the kms:Encrypt action",
        () -> s.encrypt("alias/aws/s3", CONTEXT));
  }

  static void sts(Smoke s) throws Exception {
    KeyMetadata made = s.create();
    try (StsClient ours = tokens(DefaultCredentialsProvider.builder().build());
        StsClient theirs = tokens(USER_CREDENTIALS);
        StsClient unknown = tokens(basic("AKIAUNKNOWNUNKNOWN00", "none"))) {
      same(theirs.getCallerIdentity().arn(), USER);
      same(theirs.getCallerIdentity().account(), made.awsAccountId());
      same(administrator().equals(USER), false);
      StsException refusal = refused(StsException.class,
          "User: " + administrator() + " is not authorized to perform: sts:AssumeRole on resource: " + ROLE,
          () -> ours.assumeRole(r -> r.roleArn(ROLE).roleSessionName("java")));
      same(refusal.awsErrorDetails().errorCode(), "AccessDenied");
      var assumed = theirs.assumeRole(r -> r.roleArn(ROLE).roleSessionName("java"));
      String arn = ROLE.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/java";
      same(assumed.assumedRoleUser().arn(), arn);
      try (StsClient role = tokens(session(assumed.credentials()))) {
        same(role.getCallerIdentity().arn(), arn);
      }
      Smoke encrypter = new Smoke(Smoke.REGION, session(assumed.credentials()));
      var blob = encrypter.encrypt(made.keyId(), CONTEXT);
      unallowed(arn, "kms:Decrypt", made.arn(), () -> encrypter.decrypt(made.keyId(), blob, CONTEXT));
      var temporary = ours.getSessionToken(r -> r.durationSeconds(900)).credentials();
      same(new Smoke(Smoke.REGION, session(temporary)).decrypt(blob, CONTEXT).plaintext(), MESSAGE);
      StsException stranger = refused(StsException.class,
          "The security token included in the request is invalid.", unknown::getCallerIdentity);
      same(stranger.awsErrorDetails().errorCode(), "InvalidClientTokenId");
    }
  }
}
