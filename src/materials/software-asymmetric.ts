import type { PublicEncryptionAlgorithm } from '../core/asymmetric.ts';
import type { CryptoCore } from '../core/crypto-core.ts';
import type { KeyHandle } from '../core/key-handle.ts';
import { CoreError, type CoreStatusName } from '../core/status.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { MessageType, SigningAlgorithm } from '../keys/key-spec.ts';
import type { AsymmetricMaterial, MessageProblem, SignOutcome, VerifyOutcome } from '../service/ports.ts';

/** A key pair as a handle of the core. What takes longer than some ten microseconds runs on the pool. */
export class SoftwareAsymmetricMaterial implements AsymmetricMaterial {
  readonly #core: CryptoCore;
  readonly #key: KeyHandle;

  constructor(core: CryptoCore, key: KeyHandle) {
    this.#core = core;
    this.#key = key;
  }

  publicKey(): Uint8Array {
    return this.#core.exportPublicKey(this.#key);
  }

  sign(algorithm: SigningAlgorithm, type: MessageType, message: Uint8Array): MaybePromise<SignOutcome> {
    if (algorithm.startsWith('ECDSA') || algorithm.startsWith('ED25519')) {
      return attempt<SignOutcome>(
        () => ({ ok: true, signature: this.#core.sign(this.#key, algorithm, type, message) }),
        refuseMessage,
      );
    }
    return this.#core.signAsync(this.#key, algorithm, type, message).then(
      (signature): SignOutcome => ({ ok: true, signature }),
      (error: unknown) => recover(error, refuseMessage),
    );
  }

  verify(algorithm: SigningAlgorithm, type: MessageType, message: Uint8Array, signature: Uint8Array): VerifyOutcome {
    return attempt<VerifyOutcome>(
      () => ({ ok: true, isValid: this.#core.verify(this.#key, algorithm, type, message, signature) }),
      refuseMessage,
    );
  }

  encrypt(algorithm: PublicEncryptionAlgorithm, plaintext: Uint8Array): Uint8Array {
    return this.#core.publicEncrypt(this.#key, algorithm, plaintext);
  }

  decrypt(algorithm: PublicEncryptionAlgorithm, ciphertext: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#core
      .privateDecryptAsync(this.#key, algorithm, ciphertext)
      .catch((error: unknown) => recover(error, { authenticationFailed: undefined }));
  }

  deriveSharedSecret(peerPublicKey: Uint8Array): Uint8Array | undefined {
    return attempt(() => this.#core.ecdh(this.#key, peerPublicKey), { invalidKey: undefined });
  }

  encapsulate(): { readonly sharedSecret: Uint8Array; readonly ciphertext: Uint8Array } {
    return this.#core.encapsulate(this.#key);
  }

  decapsulate(ciphertext: Uint8Array): Uint8Array | undefined {
    return attempt(() => this.#core.decapsulate(this.#key, ciphertext), { invalidArgument: undefined });
  }
}

/** Values to answer with instead of certain failures of the core. */
type Answers<T> = Readonly<Partial<Record<CoreStatusName, T>>>;

const problem = (name: MessageProblem): { readonly ok: false; readonly problem: MessageProblem } => ({
  ok: false,
  problem: name,
});

const refuseMessage = { invalidArgument: problem('messageType'), invalidLength: problem('digestLength') };

function attempt<T>(compute: () => T, answers: Answers<T>): T {
  try {
    return compute();
  } catch (error) {
    return recover(error, answers);
  }
}

function recover<T>(error: unknown, answers: Answers<T>): T {
  if (error instanceof CoreError && Object.hasOwn(answers, error.status)) {
    return answers[error.status] as T;
  }
  throw error;
}
