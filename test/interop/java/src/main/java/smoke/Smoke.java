package smoke;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.CreateKeyRequest;
import software.amazon.awssdk.services.kms.model.DecryptResponse;
import software.amazon.awssdk.services.kms.model.KeyMetadata;
import software.amazon.awssdk.services.kms.model.KeyState;

/** What every group is given: a client for one Region, and the calls that many groups need. */
final class Smoke {
  static final Region REGION = Region.US_EAST_1;
  static final Region OTHER_REGION = Region.EU_WEST_1;
  static final SdkBytes MESSAGE = SdkBytes.fromUtf8String("a message of the smoke");
  static final Map<String, String> CONTEXT = Map.of("tenant", "42", "purpose", "R\u00fccklage \u2713");

  final KmsClient kms;

  /** Endpoint and credentials are those of the environment. */
  Smoke(Region region) {
    this(region, DefaultCredentialsProvider.builder().build());
  }

  Smoke(Region region, AwsCredentialsProvider credentials) {
    kms = KmsClient.builder().region(region).credentialsProvider(credentials)
        .overrideConfiguration(o -> o.retryStrategy(r -> r.maxAttempts(1))).build();
  }

  static void same(Object actual, Object expected) {
    if (!Objects.equals(actual, expected)) {
      throw new AssertionError(actual + " instead of " + expected);
    }
  }

  /** The call fails with exactly this class of the SDK and this text. */
  static <E extends AwsServiceException> E refused(Class<E> errorClass, String message, Callable<?> call)
      throws Exception {
    try {
      call.call();
    } catch (AwsServiceException error) {
      same(error.getClass(), errorClass);
      same(Objects.requireNonNullElse(error.awsErrorDetails().errorMessage(), ""), message);
      return errorClass.cast(error);
    }
    throw new AssertionError("no " + errorClass.getSimpleName());
  }

  KeyMetadata create(Consumer<CreateKeyRequest.Builder> request) {
    return kms.createKey(request).keyMetadata();
  }

  KeyMetadata create() {
    return create(r -> {});
  }

  KeyMetadata describe(String keyId) {
    return kms.describeKey(r -> r.keyId(keyId)).keyMetadata();
  }

  SdkBytes encrypt(String keyId, Map<String, String> context) {
    return kms.encrypt(r -> r.keyId(keyId).plaintext(MESSAGE).encryptionContext(context)).ciphertextBlob();
  }

  DecryptResponse decrypt(SdkBytes blob, Map<String, String> context) {
    return kms.decrypt(r -> r.ciphertextBlob(blob).encryptionContext(context));
  }

  /** Decrypts with a key that is named, so that a refusal names it too. */
  DecryptResponse decrypt(String keyId, SdkBytes blob, Map<String, String> context, String... grantTokens) {
    return kms.decrypt(r -> r.keyId(keyId).ciphertextBlob(blob).encryptionContext(context).grantTokens(grantTokens));
  }

  /** Waits until a condition holds, at most ten seconds. */
  static void eventually(String what, Callable<Boolean> condition) throws Exception {
    for (long deadline = System.nanoTime() + 10_000_000_000L; !condition.call(); Thread.sleep(100)) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("in vain waited until " + what);
      }
    }
  }

  void waitUntilEnabled(String keyId) throws Exception {
    eventually(keyId + " is enabled", () -> describe(keyId).keyState() == KeyState.ENABLED);
  }
}
