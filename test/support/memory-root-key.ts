/** Root keys that a test keeps in memory, as another place than the passphrase file. */
import { loadCore } from '../../src/core/index.ts';
import type { KeyHandle } from '../../src/core/key-handle.ts';
import { RootKeyError, type RootKey, type RootKeyProvider } from '../../src/base/root-key.ts';
import type { RootKeyRecord } from '../../src/base/stored-records.ts';

export class MemoryRootKeys implements RootKeyProvider {
  readonly name = 'memory';
  /** Whether the keys can be had; a test switches it off. */
  isReachable = true;
  /** By what their records say. */
  readonly #keys = new Map<string, KeyHandle>();

  create(version: number, nowMs: number): Promise<{ readonly record: RootKeyRecord; readonly key: RootKey }> {
    const parameters = String(this.#keys.size);
    this.#keys.set(parameters, loadCore().generateKey('backing'));
    const record = { version, provider: this.name, parameters, createdMs: nowMs };
    return Promise.resolve({ record, key: this.#keyOf(record) });
  }

  open(record: RootKeyRecord): Promise<RootKey> {
    return Promise.resolve(this.#keyOf(record));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #keyOf({ version, parameters }: RootKeyRecord): RootKey {
    const key = (): KeyHandle => {
      const found = this.#keys.get(parameters);
      if (found === undefined || !this.isReachable) throw new RootKeyError('out of reach');
      return found;
    };
    return {
      version,
      wrap: (handle, aad) => Promise.resolve().then(() => loadCore().wrapKey(key(), handle, aad)),
      unwrap: (wrapped, aad) => Promise.resolve().then(() => loadCore().unwrapKey(key(), wrapped, aad, 'backing')),
    };
  }
}
