/** Measures graphene-pk11 on a module. Work: OPERATION/KEYS, with `/async` for its calls with callbacks. */
import { randomBytes, randomFillSync } from 'node:crypto';
import graphene from 'graphene-pk11';
import {
  AAD_BYTES,
  IN_FLIGHT,
  isGcm,
  plaintextBytes,
  type GcmOperation,
  type HsmCase,
  type Operation,
} from './cases.ts';
import { serve, settings } from './worker.ts';

type Session = graphene.Session;
type Key = graphene.Key;
type Callback = (error: Error | null, result: Buffer | null) => void;

const OS_LOCKING_OK = 2;
const TAG_BYTES = 16;
const IV_BYTES = 12;

const { token: where } = settings();
const functions = graphene.Module.load(where.modulePath, where.name);
// pkcs11js drops the last character of the text, hence one more.
const parameters = where.initArgs === '' ? {} : { libraryParameters: `${where.initArgs} ` };
functions.initialize({ flags: OS_LOCKING_OK, ...parameters });
const slot = slotOf(where.tokenLabel);
/** One for each lane: what an operation began in a session has to end there before the next begins. */
const sessions = Array.from({ length: Math.max(...IN_FLIGHT) }, () =>
  slot.open(graphene.SessionFlag.SERIAL_SESSION | graphene.SessionFlag.RW_SESSION),
);
const owner = sessionOf(0);
owner.login(where.pin);

const aad = randomBytes(AAD_BYTES);
const ivs = randomBytes(IV_BYTES * 1024);
let nextIv = ivs.length;

serve((name) => {
  const [operation, keys, isAsync] = name.split('/') as [Operation, HsmCase['keys'], string?];
  const { now, start } = isGcm(operation) ? gcm(operation, keys) : other(operation, keys);
  return isAsync === undefined
    ? { messages: 1, now: () => now(owner) }
    : {
        messages: 1,
        start: (lane) =>
          promiseOf((done) => {
            start(sessionOf(lane), done);
          }),
      };
});

interface Calls {
  readonly now: (session: Session) => unknown;
  /** On a thread of libuv's. */
  readonly start: (session: Session, done: Callback) => void;
}

function slotOf(label: string): graphene.Slot {
  const slots = functions.getSlots(true);
  for (let index = 0; index < slots.length; index++) {
    const found = slots.items(index);
    if (found.getToken().label.trim() === label) return found;
  }
  throw new Error(`no token is called ${label}`);
}

function sessionOf(lane: number): Session {
  const session = sessions[lane];
  if (session === undefined) throw new RangeError(`there is no session ${lane}`);
  return session;
}

function promiseOf(start: (done: Callback) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}

/** Random, out of a pool. */
function iv(): Buffer {
  if (nextIv === ivs.length) {
    randomFillSync(ivs);
    nextIv = 0;
  }
  nextIv += IV_BYTES;
  return ivs.subarray(nextIv - IV_BYTES, nextIv);
}

function secretKey(mechanism: string, keys: HsmCase['keys'], uses: object): Key {
  const protection = { token: keys === 'token', private: true, sensitive: true, extractable: false };
  return owner.generateKey(mechanism, { ...protection, valueLen: 32, ...uses });
}

function gcm(operation: GcmOperation, keys: HsmCase['keys']): Calls {
  const key = secretKey('AES_KEY_GEN', keys, { encrypt: true, decrypt: true });
  const bytes = plaintextBytes(operation);
  const plaintext = randomBytes(bytes);
  const out = (): Buffer => Buffer.allocUnsafe(bytes + TAG_BYTES);
  const algorithm = (nonce: Buffer): graphene.IAlgorithm => ({
    name: 'AES_GCM',
    params: new graphene.AesGcm240Params(nonce, aad, TAG_BYTES * 8),
  });
  if (operation !== 'decryptGcm32') {
    return {
      now: (session) => session.createCipher(algorithm(iv()), key).once(plaintext, out()),
      start: (session, done) => {
        session.createCipher(algorithm(iv()), key).once(plaintext, out(), done);
      },
    };
  }
  const nonce = randomBytes(IV_BYTES);
  const sealed = owner.createCipher(algorithm(nonce), key).once(plaintext, out());
  return {
    now: (session) => session.createDecipher(algorithm(nonce), key).once(sealed, out()),
    start: (session, done) => {
      session.createDecipher(algorithm(nonce), key).once(sealed, out(), done);
    },
  };
}

function signing(mechanism: string, key: Key, input: Buffer): Calls {
  return {
    now: (session) => session.createSign(mechanism, key).once(input),
    start: (session, done) => {
      session.createSign(mechanism, key).once(input, done);
    },
  };
}

function privateKey(mechanism: 'ECDSA_KEY_PAIR_GEN' | 'RSA_PKCS_KEY_PAIR_GEN', keys: HsmCase['keys']): Key {
  const token = keys === 'token';
  const parameters =
    mechanism === 'ECDSA_KEY_PAIR_GEN'
      ? { paramsECDSA: graphene.NamedCurve.getByName('secp256r1').value }
      : { modulusBits: 2048, publicExponent: Buffer.from([1, 0, 1]) };
  return owner.generateKeyPair(
    mechanism,
    { token, verify: true, ...parameters },
    { token, private: true, sensitive: true, extractable: false, sign: true },
  ).privateKey;
}

function other(operation: Exclude<Operation, GcmOperation>, keys: HsmCase['keys']): Calls {
  const input = randomBytes(32);
  switch (operation) {
    case 'hmac':
      return signing('SHA256_HMAC', secretKey('GENERIC_SECRET_KEY_GEN', keys, { sign: true }), input);
    case 'signP256':
      return signing('ECDSA', privateKey('ECDSA_KEY_PAIR_GEN', keys), input);
    case 'signRsa2048': {
      // The DigestInfo of SHA-256 (RFC 8017, section 9.2).
      const prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex');
      return signing('RSA_PKCS', privateKey('RSA_PKCS_KEY_PAIR_GEN', keys), Buffer.concat([prefix, input]));
    }
    case 'wrapAesKw': {
      const wrapping = secretKey('AES_KEY_GEN', keys, { wrap: true, unwrap: true });
      const wrapped = secretKey('AES_KEY_GEN', keys, { encrypt: true, decrypt: true, extractable: true });
      return {
        now: (session) => session.wrapKey('AES_KEY_WRAP', wrapping, wrapped),
        start: (session, done) => {
          session.wrapKey('AES_KEY_WRAP', wrapping, wrapped, done);
        },
      };
    }
  }
}
