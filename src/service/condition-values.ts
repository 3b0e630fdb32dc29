import type { ConditionValues } from '../policy/condition-values.ts';
import { principalValues, type Principal } from '../policy/principal.ts';
import type { RequestContext } from './target.ts';

/**
 * The condition keys that every request has: who makes it, when and in which Region.
 *
 * @source IAM User Guide, "AWS global condition context keys"
 */
export function requestValues(
  { region, nowMs }: Pick<RequestContext, 'region' | 'nowMs'>,
  principal: Principal,
): ConditionValues {
  const ofPrincipal = principalValues(principal);
  return {
    get(key) {
      switch (key) {
        case 'aws:currenttime':
          return new Date(nowMs).toISOString();
        case 'aws:epochtime':
          return String(Math.floor(nowMs / 1000));
        case 'aws:requestedregion':
          return region;
        default:
          return ofPrincipal.get(key);
      }
    },
  };
}
