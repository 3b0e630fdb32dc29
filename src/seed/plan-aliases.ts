import { aliasArn } from '../base/arn.ts';
import { isAwaitingDeletion } from '../keys/key-state.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import { requireCustomerAliasName } from '../service/alias-names.ts';
import { createAlias } from '../service/operations/create-alias.ts';
import { parseRequest } from '../service/schema.ts';
import { executeTrusted } from '../service/trusted.ts';
import type { SeedSession } from './session.ts';
import type { Located } from './yaml-schema.ts';

/** @throws SeedError for a name that no alias can have, one that points elsewhere, and too many */
export async function planAliases(
  session: SeedSession,
  aliases: readonly Located<string>[],
  key: KmsKey,
  isStored: boolean,
): Promise<void> {
  const { region, accountId, keyId } = key;
  const { aliasesPerKey } = session.ports.resourceQuotas;
  let count = isStored ? await session.ports.aliases.countOfKey(region, keyId) : 0;
  for (const { value: name, at } of aliases) {
    session.claim(at, `${name} of account ${accountId} in ${region}`);
    const request = await session.check(at, () => {
      requireCustomerAliasName(name);
      return parseRequest(createAlias.input, { AliasName: name, TargetKeyId: keyId }, 'native');
    });
    const existing = await session.ports.aliases.find(region, accountId, name);
    if (existing !== undefined) {
      session.requireSame(at, `key of ${name} in ${region}`, keyId, existing.targetKeyId);
    }
    if (existing !== undefined || isAwaitingDeletion(key.state)) {
      session.noteExisting();
      continue;
    }
    if (++count > aliasesPerKey) {
      throw session.error(at, `key ${keyId} would have more than ${String(aliasesPerKey)} aliases`);
    }
    const action = 'kms:CreateAlias';
    const targets = [
      { action, resourceArn: key.arn, resourceAccountId: accountId, key },
      { action, resourceArn: aliasArn(region, accountId, name), resourceAccountId: accountId },
    ] as const;
    session.add(async () => executeTrusted(createAlias, targets, request, session.context(accountId, region)));
  }
}
