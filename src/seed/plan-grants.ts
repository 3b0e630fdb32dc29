import { isAwaitingDeletion } from '../keys/key-state.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import { grantFingerprint } from '../policy/grant.ts';
import { createGrant, createGrantInput, planGrant } from '../service/operations/create-grant.ts';
import type { CreateGrantInput } from '../service/operations/create-grant.ts';
import { parseRequest } from '../service/schema.ts';
import { executeTrusted } from '../service/trusted.ts';
import type { SeedGrant } from './seed-file.ts';
import type { SeedSession } from './session.ts';

const PAGE = 1000;

/** @throws SeedError for a grant that CreateGrant would refuse, and one whose name another grant of the key has */
export async function planGrants(
  session: SeedSession,
  grants: readonly SeedGrant[],
  key: KmsKey,
  isStored: boolean,
): Promise<void> {
  const { region, accountId, keyId } = key;
  const context = session.context(accountId, region);
  const { grantsPerKey } = context.resourceQuotas;
  let count = isStored ? await session.ports.grants.countOfKey(region, keyId) : 0;
  for (const given of grants) {
    session.claim(given.at, `grant ${given.name} of key ${keyId} in ${region}`);
    const { request, fingerprint } = await session.check(given.at, async () => {
      const parsed = parseRequest(createGrantInput, toRequest(given, keyId), 'native');
      const planned = await planGrant(parsed, key, session.planningContext(accountId, region));
      return { request: parsed, fingerprint: grantFingerprint(planned) };
    });
    const same = isStored ? await session.ports.grants.findSame(region, keyId, fingerprint) : undefined;
    if (same !== undefined || isAwaitingDeletion(key.state)) {
      session.noteExisting();
      continue;
    }
    if (isStored) {
      await refuseNamesake(session, given, key, fingerprint);
    }
    if (++count > grantsPerKey) {
      throw session.error(given.at, `key ${keyId} would have more than ${String(grantsPerKey)} grants`);
    }
    const targets = [{ action: 'kms:CreateGrant', resourceArn: key.arn, resourceAccountId: accountId, key }] as const;
    session.add(async () => executeTrusted(createGrant, targets, request, context));
  }
}

function toRequest(given: SeedGrant, keyId: string): CreateGrantInput {
  const { constraints } = given;
  const { encryptionContextEquals: equals, encryptionContextSubset: subset, sourceArn } = constraints ?? {};
  return {
    KeyId: keyId,
    Name: given.name,
    GranteePrincipal: given.granteePrincipal,
    GranteeServicePrincipal: given.granteeServicePrincipal,
    RetiringPrincipal: given.retiringPrincipal,
    RetiringServicePrincipal: given.retiringServicePrincipal,
    Operations: given.operations,
    Constraints:
      constraints === undefined
        ? undefined
        : {
            EncryptionContextEquals: equals === undefined ? undefined : Object.fromEntries(equals),
            EncryptionContextSubset: subset === undefined ? undefined : Object.fromEntries(subset),
            SourceArn: sourceArn,
          },
  };
}

/** Two grants of one name would both count: a changed file must not leave the old one behind unseen. */
async function refuseNamesake(session: SeedSession, given: SeedGrant, key: KmsKey, fingerprint: string): Promise<void> {
  for (let after: string | undefined; ;) {
    const page = await session.ports.grants.list(key.region, { keyId: key.keyId }, { after, limit: PAGE });
    const namesake = page.items.find(({ name }) => name === given.name);
    if (namesake !== undefined) {
      const what = `parameters of grant ${given.name} of key ${key.keyId} in ${key.region}`;
      session.requireSame(given.at, what, fingerprint, grantFingerprint(namesake));
    }
    if (!page.isTruncated) {
      return;
    }
    after = page.items.at(-1)?.grantId;
  }
}
