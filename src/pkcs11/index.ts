/** Hardware security modules: tokens that are spoken to through PKCS#11. Exported as `keywright/hsm`. */
export { openPkcs11Token } from './open-token.ts';
export { Pkcs11Error } from './token.ts';
export type {
  HsmKeyDescription,
  HsmKeyPairPlan,
  HsmKeyPlan,
  HsmSecretKeyPlan,
  Pkcs11Token,
  Pkcs11TokenInfo,
  Pkcs11TokenOptions,
  Pkcs11TokenState,
} from './token.ts';
export type { HsmKeyPairType, HsmWrapMechanism, Pkcs11ProfileName, Pkcs11Reason, SecretKeyType } from './codes.ts';
