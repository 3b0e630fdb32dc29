/** A name for a key; unique in its account and Region, and never a property of the key. */
export interface Alias {
  readonly region: string;
  readonly accountId: string;
  /** With its `alias/` prefix. */
  readonly name: string;
  readonly targetKeyId: string;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export const ALIAS_PREFIX = 'alias/';
export const AWS_ALIAS_PREFIX = 'alias/aws/';

const ALIAS_NAME = /^alias\/[a-zA-Z0-9/_-]+$/;

/** @source KMS API Reference, CreateAlias: only alphanumerics, `/`, `_` and `-` after the prefix. */
export function isAliasName(text: string): boolean {
  return ALIAS_NAME.test(text);
}
