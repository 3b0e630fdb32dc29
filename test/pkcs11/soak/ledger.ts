/** What is known of the token keys that requests made and destroyed. */
import type { Pkcs11Error } from '../../../src/pkcs11/token.ts';

/** Failures after which nothing was done (native/pkcs11/failure.h); after all others nobody knows. */
const NOTHING_DONE = new Set(['unavailable', 'queueFull', 'closed']);

export class Ledger {
  readonly #there = new Set<string>();
  readonly #unknown = new Set<string>();

  /** Ids of keys that are in the token for sure. */
  get there(): ReadonlySet<string> {
    return this.#there;
  }

  /** Ids of which it is not known whether the token has a key. */
  get unknown(): ReadonlySet<string> {
    return this.#unknown;
  }

  /** How a request ended that makes a key with a fresh id. */
  made(id: string, error?: Pkcs11Error): void {
    if (error === undefined) this.#there.add(id);
    else if (!NOTHING_DONE.has(error.reason)) this.#unknown.add(id);
  }

  /** Takes out one that is destroyed next: nobody else uses it from here on. */
  take(): string | undefined {
    const [id] = this.#there;
    if (id !== undefined) this.#there.delete(id);
    return id;
  }

  /** How a request ended that destroys the key that was taken. */
  destroyed(id: string, error?: Pkcs11Error): void {
    if (error === undefined) return;
    (NOTHING_DONE.has(error.reason) ? this.#there : this.#unknown).add(id);
  }

  /** What of `found`, the ids that a token has, contradicts the answers. */
  contradictions(found: readonly string[]): readonly string[] {
    const has = new Set(found);
    return [
      ...[...this.#there].filter((id) => !has.has(id)).map((id) => `${id} was acknowledged and is not there`),
      ...[...has]
        .filter((id) => !this.#there.has(id) && !this.#unknown.has(id))
        .map((id) => `${id} is there, against what was answered`),
      ...found.filter((id, index) => found.indexOf(id) !== index).map((id) => `${id} is there twice`),
    ];
  }
}
