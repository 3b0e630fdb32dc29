package smoke;

import static smoke.Smoke.CONTEXT;
import static smoke.Smoke.MESSAGE;
import static smoke.Smoke.refused;
import static smoke.Smoke.same;

import java.security.KeyFactory;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.List;
import java.util.Map;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import smoke.Main.Group;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kms.model.DataKeyPairSpec;
import software.amazon.awssdk.services.kms.model.DataKeySpec;
import software.amazon.awssdk.services.kms.model.EncapsulationAlgorithmSpec;
import software.amazon.awssdk.services.kms.model.EncryptionAlgorithmSpec;
import software.amazon.awssdk.services.kms.model.IncorrectKeyException;
import software.amazon.awssdk.services.kms.model.InvalidCiphertextException;
import software.amazon.awssdk.services.kms.model.KeyAgreementAlgorithmSpec;
import software.amazon.awssdk.services.kms.model.KeyMetadata;
import software.amazon.awssdk.services.kms.model.KeySpec;
import software.amazon.awssdk.services.kms.model.KeyUsageType;
import software.amazon.awssdk.services.kms.model.KmsInvalidMacException;
import software.amazon.awssdk.services.kms.model.KmsInvalidSignatureException;
import software.amazon.awssdk.services.kms.model.MacAlgorithmSpec;
import software.amazon.awssdk.services.kms.model.MessageType;
import software.amazon.awssdk.services.kms.model.SigningAlgorithmSpec;

/** Everything that uses a key. */
final class Cryptographic {
  static final List<Group> GROUPS = List.of(
      new Group("encrypt and decrypt", Cryptographic::data),
      new Group("RSA encryption", Cryptographic::rsaEncryption),
      new Group("data keys", Cryptographic::dataKeys),
      new Group("data key pairs", Cryptographic::dataKeyPairs),
      new Group("re-encrypt", Cryptographic::reEncrypt),
      new Group("sign and verify: RSA", Cryptographic::signRsa),
      new Group("sign and verify: ECC", Cryptographic::signEcc),
      new Group("sign and verify: Ed25519", Cryptographic::signEd25519),
      new Group("sign and verify: ML-DSA", Cryptographic::signMlDsa),
      new Group("MAC", Cryptographic::mac),
      new Group("ECDH", Cryptographic::ecdh),
      new Group("KEM", Cryptographic::kem),
      new Group("random", Cryptographic::random));

  private Cryptographic() {}

  static String pair(Smoke s, KeySpec spec, KeyUsageType usage) {
    return s.create(r -> r.keySpec(spec).keyUsage(usage)).keyId();
  }

  /** @param family the name of the key's algorithm in the JDK */
  static PublicKey publicKey(Smoke s, String keyId, String family) throws Exception {
    byte[] der = s.kms.getPublicKey(r -> r.keyId(keyId)).publicKey().asByteArray();
    return KeyFactory.getInstance(family).generatePublic(new X509EncodedKeySpec(der));
  }

  static void data(Smoke s) throws Exception {
    KeyMetadata made = s.create();
    SdkBytes blob = s.encrypt(made.keyId(), CONTEXT);
    var opened = s.decrypt(blob, CONTEXT);
    same(List.of(opened.plaintext(), opened.keyId()), List.of(MESSAGE, made.arn()));
    refused(InvalidCiphertextException.class, "", () -> s.decrypt(blob, Map.of()));
    String other = s.create().keyId();
    refused(IncorrectKeyException.class,
        "The key ID in the request does not identify a CMK that can perform this operation.",
        () -> s.kms.decrypt(r -> r.ciphertextBlob(blob).encryptionContext(CONTEXT).keyId(other)));
  }

  static void rsaEncryption(Smoke s) throws Exception {
    String keyId = pair(s, KeySpec.RSA_2048, KeyUsageType.ENCRYPT_DECRYPT);
    var algorithm = EncryptionAlgorithmSpec.RSAES_OAEP_SHA_256;
    Cipher cipher = Cipher.getInstance("RSA/ECB/OAEPPadding");
    cipher.init(Cipher.ENCRYPT_MODE, publicKey(s, keyId, "RSA"),
        new OAEPParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT));
    SdkBytes outside = SdkBytes.fromByteArray(cipher.doFinal(MESSAGE.asByteArray()));
    SdkBytes inside = s.kms.encrypt(r -> r.keyId(keyId).plaintext(MESSAGE).encryptionAlgorithm(algorithm))
        .ciphertextBlob();
    for (SdkBytes blob : List.of(outside, inside)) {
      var opened = s.kms.decrypt(r -> r.keyId(keyId).ciphertextBlob(blob).encryptionAlgorithm(algorithm));
      same(opened.plaintext(), MESSAGE);
    }
  }

  static void dataKeys(Smoke s) {
    String keyId = s.create().keyId();
    var made = s.kms.generateDataKey(r -> r.keyId(keyId).keySpec(DataKeySpec.AES_256).encryptionContext(CONTEXT));
    same(made.plaintext().asByteArray().length, 32);
    same(s.decrypt(made.ciphertextBlob(), CONTEXT).plaintext(), made.plaintext());
    var hidden = s.kms.generateDataKeyWithoutPlaintext(r -> r.keyId(keyId).numberOfBytes(1024));
    same(s.decrypt(hidden.ciphertextBlob(), Map.of()).plaintext().asByteArray().length, 1024);
  }

  static void dataKeyPairs(Smoke s) throws Exception {
    String keyId = s.create().keyId();
    var made = s.kms.generateDataKeyPair(r -> r.keyId(keyId).keyPairSpec(DataKeyPairSpec.ECC_NIST_P384));
    same(s.decrypt(made.privateKeyCiphertextBlob(), Map.of()).plaintext(), made.privateKeyPlaintext());
    KeyFactory ec = KeyFactory.getInstance("EC");
    Signature signer = Signature.getInstance("SHA384withECDSA");
    signer.initSign(ec.generatePrivate(new PKCS8EncodedKeySpec(made.privateKeyPlaintext().asByteArray())));
    signer.update(MESSAGE.asByteArray());
    byte[] signature = signer.sign();
    signer.initVerify(ec.generatePublic(new X509EncodedKeySpec(made.publicKey().asByteArray())));
    signer.update(MESSAGE.asByteArray());
    same(signer.verify(signature), true);
    var hidden = s.kms.generateDataKeyPairWithoutPlaintext(r -> r.keyId(keyId).keyPairSpec(DataKeyPairSpec.RSA_2048));
    byte[] der = s.decrypt(hidden.privateKeyCiphertextBlob(), Map.of()).plaintext().asByteArray();
    same(KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der)).getFormat(), "PKCS#8");
  }

  static void reEncrypt(Smoke s) {
    KeyMetadata source = s.create();
    KeyMetadata target = s.create();
    SdkBytes blob = s.encrypt(source.keyId(), CONTEXT);
    var moved = s.kms.reEncrypt(r -> r.ciphertextBlob(blob).sourceEncryptionContext(CONTEXT)
        .destinationKeyId(target.keyId()));
    same(List.of(moved.sourceKeyId(), moved.keyId()), List.of(source.arn(), target.arn()));
    same(s.decrypt(moved.ciphertextBlob(), Map.of()).plaintext(), MESSAGE);
  }

  /** Signs, and verifies at the server; a changed signature must fail there. */
  static SdkBytes signature(Smoke s, String keyId, SigningAlgorithmSpec algorithm) throws Exception {
    SdkBytes signature = s.kms.sign(r -> r.keyId(keyId).message(MESSAGE).signingAlgorithm(algorithm)).signature();
    same(s.kms.verify(r -> r.keyId(keyId).message(MESSAGE).signature(signature).signingAlgorithm(algorithm))
        .signatureValid(), true);
    byte[] changed = signature.asByteArray();
    changed[changed.length - 1] ^= 1;
    refused(KmsInvalidSignatureException.class, "", () -> s.kms.verify(r -> r.keyId(keyId).message(MESSAGE)
        .signature(SdkBytes.fromByteArray(changed)).signingAlgorithm(algorithm)));
    return signature;
  }

  /** @param name the name of the signature algorithm in the JDK */
  static boolean isValidOutside(PublicKey key, String name, AlgorithmParameterSpec parameters, SdkBytes signature)
      throws Exception {
    Signature verifier = Signature.getInstance(name);
    if (parameters != null) {
      verifier.setParameter(parameters);
    }
    verifier.initVerify(key);
    verifier.update(MESSAGE.asByteArray());
    return verifier.verify(signature.asByteArray());
  }

  static void signRsa(Smoke s) throws Exception {
    String keyId = pair(s, KeySpec.RSA_2048, KeyUsageType.SIGN_VERIFY);
    PublicKey key = publicKey(s, keyId, "RSA");
    SdkBytes pkcs1 = signature(s, keyId, SigningAlgorithmSpec.RSASSA_PKCS1_V1_5_SHA_512);
    same(isValidOutside(key, "SHA512withRSA", null, pkcs1), true);
    var parameters = new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1);
    SdkBytes pss = signature(s, keyId, SigningAlgorithmSpec.RSASSA_PSS_SHA_256);
    same(isValidOutside(key, "RSASSA-PSS", parameters, pss), true);
  }

  static void signEcc(Smoke s) throws Exception {
    for (var spec : List.of(KeySpec.ECC_NIST_P256, KeySpec.ECC_NIST_P384, KeySpec.ECC_NIST_P521)) {
      int bits = Map.of(KeySpec.ECC_NIST_P256, 256, KeySpec.ECC_NIST_P384, 384).getOrDefault(spec, 512);
      String keyId = pair(s, spec, KeyUsageType.SIGN_VERIFY);
      SdkBytes signature = signature(s, keyId, SigningAlgorithmSpec.fromValue("ECDSA_SHA_" + bits));
      same(isValidOutside(publicKey(s, keyId, "EC"), "SHA" + bits + "withECDSA", null, signature), true);
    }
    // The JDK has no secp256k1.
    String bitcoin = pair(s, KeySpec.ECC_SECG_P256_K1, KeyUsageType.SIGN_VERIFY);
    signature(s, bitcoin, SigningAlgorithmSpec.ECDSA_SHA_256);
    String keyId = pair(s, KeySpec.ECC_NIST_P256, KeyUsageType.SIGN_VERIFY);
    SdkBytes digest = SdkBytes.fromByteArray(MessageDigest.getInstance("SHA-256").digest(MESSAGE.asByteArray()));
    SdkBytes ofDigest = s.kms.sign(r -> r.keyId(keyId).message(digest).messageType(MessageType.DIGEST)
        .signingAlgorithm(SigningAlgorithmSpec.ECDSA_SHA_256)).signature();
    same(isValidOutside(publicKey(s, keyId, "EC"), "SHA256withECDSA", null, ofDigest), true);
  }

  static void signEd25519(Smoke s) throws Exception {
    String keyId = pair(s, KeySpec.ECC_NIST_EDWARDS25519, KeyUsageType.SIGN_VERIFY);
    SdkBytes signature = signature(s, keyId, SigningAlgorithmSpec.ED25519_SHA_512);
    same(isValidOutside(publicKey(s, keyId, "Ed25519"), "Ed25519", null, signature), true);
  }

  static void signMlDsa(Smoke s) throws Exception {
    // The JDK has ML-DSA from version 24 on.
    signature(s, pair(s, KeySpec.ML_DSA_65, KeyUsageType.SIGN_VERIFY), SigningAlgorithmSpec.ML_DSA_SHAKE_256);
  }

  static void mac(Smoke s) throws Exception {
    String keyId = pair(s, KeySpec.HMAC_384, KeyUsageType.GENERATE_VERIFY_MAC);
    var algorithm = MacAlgorithmSpec.HMAC_SHA_384;
    SdkBytes tag = s.kms.generateMac(r -> r.keyId(keyId).message(MESSAGE).macAlgorithm(algorithm)).mac();
    same(s.kms.verifyMac(r -> r.keyId(keyId).message(MESSAGE).mac(tag).macAlgorithm(algorithm)).macValid(), true);
    SdkBytes wrong = SdkBytes.fromByteArray(new byte[48]);
    refused(KmsInvalidMacException.class, "",
        () -> s.kms.verifyMac(r -> r.keyId(keyId).message(MESSAGE).mac(wrong).macAlgorithm(algorithm)));
  }

  static void ecdh(Smoke s) throws Exception {
    String keyId = pair(s, KeySpec.ECC_NIST_P384, KeyUsageType.KEY_AGREEMENT);
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp384r1"));
    var stranger = generator.generateKeyPair();
    KeyAgreement agreement = KeyAgreement.getInstance("ECDH");
    agreement.init(stranger.getPrivate());
    agreement.doPhase(publicKey(s, keyId, "EC"), true);
    var derived = s.kms.deriveSharedSecret(r -> r.keyId(keyId).keyAgreementAlgorithm(KeyAgreementAlgorithmSpec.ECDH)
        .publicKey(SdkBytes.fromByteArray(stranger.getPublic().getEncoded())));
    same(derived.sharedSecret(), SdkBytes.fromByteArray(agreement.generateSecret()));
  }

  static void kem(Smoke s) {
    String keyId = pair(s, KeySpec.ML_KEM_1024, KeyUsageType.ENCAPSULATE_DECAPSULATE);
    var algorithm = EncapsulationAlgorithmSpec.ML_KEM;
    var made = s.kms.encapsulate(r -> r.keyId(keyId).encapsulationAlgorithm(algorithm));
    var opened = s.kms.decapsulate(r -> r.keyId(keyId).encapsulationAlgorithm(algorithm)
        .sharedSecretCiphertextBlob(made.sharedSecretCiphertextBlob()));
    same(opened.sharedSecret(), made.sharedSecret());
  }

  static void random(Smoke s) {
    SdkBytes first = s.kms.generateRandom(r -> r.numberOfBytes(1024)).plaintext();
    SdkBytes second = s.kms.generateRandom(r -> r.numberOfBytes(1024)).plaintext();
    same(first.asByteArray().length, 1024);
    same(first.equals(second), false);
  }
}
