/**
 * Policies name users and roles by ARN and are stored with unique ids, so that somebody who is made anew under an old
 * name is not who was meant.
 *
 * @source IAM User Guide, "AWS JSON policy elements: Principal"; "IAM identifiers", unique identifiers
 */
import { principalsOf, renamePrincipals } from '../policy/rename-principals.ts';
import type { PrincipalDirectory } from './ports.ts';

/** The text to store, or the first name that is nobody's. */
export type IdentifiedPolicy =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly unknown: string };

/** Puts unique ids in the place of ARNs. @param text a policy that keeps the grammar */
export async function identifyPrincipals(text: string, directory: PrincipalDirectory): Promise<IdentifiedPolicy> {
  const ids = new Map<string, string>();
  for (const name of principalsOf(text)) {
    const id = await directory.identify(name);
    if (id === undefined) {
      return { ok: false, unknown: name };
    }
    ids.set(name, id);
  }
  return { ok: true, text: renamePrincipals(text, (name) => ids.get(name) ?? name) };
}

/** Puts ARNs in the place of the unique ids of those who are still there. @param text of a stored policy */
export async function showPrincipals(text: string, directory: PrincipalDirectory): Promise<string> {
  const arns = new Map<string, string>();
  for (const id of principalsOf(text)) {
    arns.set(id, await directory.show(id));
  }
  return renamePrincipals(text, (id) => arns.get(id) ?? id);
}
