/** What befalls a token while it works: one kind of fault at a time, so that each can be counted. */

/** A kind of fault. */
export interface FaultKind {
  readonly name: string;
  /** Lines of the control file of the shim (test/pkcs11-shim/README.md). */
  readonly lines: readonly string[];
  /** Ends after so many milliseconds, for the token does nothing meanwhile; else after its share of operations. */
  readonly lastsMs?: number;
}

/** One in so many calls; most requests make two to four. */
const OFTEN = 0.006;
const RARELY = 0.002;

/** How requests fail that a module refuses for reasons of its own, with which no more can be done than to say so. */
const REFUSALS = ['CKR_FUNCTION_FAILED', 'CKR_DEVICE_MEMORY', 'CKR_HOST_MEMORY'] as const;

/** SoftHSM2 answers CKR_GENERAL_ERROR to a wrong tag, so that it says nothing else where data are opened. */
const NOT_OPENING = ['C_Encrypt', 'C_Sign', 'C_Verify', 'C_Find', 'C_Generate', 'C_OpenSession', 'C_GetSessionInfo'];

export const FAULT_KINDS: readonly FaultKind[] = [
  {
    name: 'handles of keys are stale',
    lines: [
      ...['C_Encrypt', 'C_Decrypt', 'C_Sign', 'C_Verify'].map((name) => `${name}Init fail CKR_KEY_HANDLE_INVALID 0.02`),
      'C_WrapKey fail 0x113 0.05',
      'C_UnwrapKey fail 0xF0 0.05',
    ],
  },
  { name: 'a session is lost', lines: [`C_* lose-session ${String(OFTEN)}`] },
  { name: 'a session is lost while a key is made', lines: keysOnly('lose-session') },
  { name: 'all sessions are lost', lines: [`C_* lose-all-sessions ${String(RARELY)}`] },
  { name: 'a session is closed', lines: [`C_* fail CKR_SESSION_CLOSED ${String(OFTEN)}`] },
  {
    name: 'an operation was left behind',
    lines: [
      `C_EncryptInit fail CKR_OPERATION_ACTIVE ${String(OFTEN)}`,
      `C_Sign fail CKR_OPERATION_NOT_INITIALIZED 0.05`,
    ],
  },
  { name: 'the login expires', lines: [`C_* logout ${String(RARELY)}`] },
  { name: 'the login expires while keys are looked for', lines: ['C_FindObjects* logout 0.02'] },
  { name: 'the token is taken out', lines: ['token absent'], lastsMs: 800 },
  { name: 'the token is out for a moment', lines: ['token absent'], lastsMs: 30 },
  { name: 'the device is removed', lines: [`C_* fail CKR_DEVICE_REMOVED ${String(RARELY)}`] },
  { name: 'the token is not recognised', lines: [`C_* fail CKR_TOKEN_NOT_RECOGNIZED ${String(RARELY)}`] },
  { name: 'the module is finalised', lines: [`C_* fail CKR_CRYPTOKI_NOT_INITIALIZED ${String(RARELY)}`] },
  { name: 'the device has errors', lines: [`C_* fail CKR_DEVICE_ERROR ${String(RARELY)}`] },
  {
    name: 'answers of the device are lost',
    lines: ['C_Encrypt', 'C_Sign', 'C_GenerateKey', 'C_UnwrapKey', 'C_DestroyObject'].map(
      (name) => `${name} lose-answer CKR_DEVICE_ERROR 0.03`,
    ),
  },
  {
    name: 'sessions run out',
    // Sessions are still open of which other faults said that they are closed. They end with the module.
    lines: [
      'C_EncryptInit fail CKR_CRYPTOKI_NOT_INITIALIZED first 1',
      'C_OpenSession limit 3',
      `C_* lose-session ${String(RARELY)}`,
    ],
  },
  ...REFUSALS.map((code) => ({ name: `calls fail with ${code}`, lines: [`C_* fail ${code} ${String(OFTEN)}`] })),
  {
    name: 'calls fail with CKR_GENERAL_ERROR',
    lines: NOT_OPENING.map((name) => `${name}* fail CKR_GENERAL_ERROR ${String(OFTEN)}`),
  },
  { name: 'calls are slow', lines: ['C_* delay-ms 5 0.01'] },
  { name: 'a call does not come back in time', lines: ['C_EncryptInit delay-ms 2000 first 2'] },
  {
    name: 'everything at once',
    lines: [
      ...['lose-session', 'logout', 'lose-all-sessions'].map((action) => `C_* ${action} 0.001`),
      ...['CKR_DEVICE_ERROR', 'CKR_DEVICE_REMOVED', 'CKR_SESSION_COUNT', 'CKR_SESSION_HANDLE_INVALID', ...REFUSALS].map(
        (code) => `C_* fail ${code} 0.001`,
      ),
      'C_* delay-ms 3 0.001',
    ],
  },
];

/** Between the calls that make or destroy a key. */
function keysOnly(action: string): readonly string[] {
  return ['C_GetAttributeValue', 'C_FindObjects*', 'C_DestroyObject'].map((name) => `${name} ${action} 0.03`);
}
