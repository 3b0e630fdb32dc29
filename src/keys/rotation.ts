/**
 * Rotation of key material: who may have it, and when it is due.
 *
 * @source KMS Developer Guide, "Rotate AWS KMS keys"
 */
import { MS_PER_DAY } from '../base/clock.ts';
import type { KmsKey, RotationSchedule } from './kms-key.ts';

export const DEFAULT_ROTATION_PERIOD_DAYS = 365;
export const MIN_ROTATION_PERIOD_DAYS = 90;
export const MAX_ROTATION_PERIOD_DAYS = 2560;
export const MAX_ON_DEMAND_ROTATIONS = 25;

/** An automatic rotation this near stands in the way of one on demand. */
export const AUTOMATIC_ROTATION_GUARD_MS = 20 * 60_000;

export type RotationType = 'AUTOMATIC' | 'ON_DEMAND';

/** The schedule from the moment that it is switched on, or its period changed. */
export function startSchedule(periodDays: number, nowMs: number): RotationSchedule {
  return { periodDays, nextMs: nowMs + periodDays * MS_PER_DAY };
}

/**
 * The schedule after its rotation was done: the next date of the same series that lies ahead, however late it was done.
 */
export function advanceSchedule({ periodDays, nextMs }: RotationSchedule, nowMs: number): RotationSchedule {
  const periodMs = periodDays * MS_PER_DAY;
  const missed = Math.max(0, Math.floor((nowMs - nextMs) / periodMs));
  return { periodDays, nextMs: nextMs + (missed + 1) * periodMs };
}

/**
 * True when the key has a schedule, is usable, and its date has come. A disabled key is rotated when it is enabled
 * again.
 */
export function isRotationDue(key: KmsKey, nowMs: number): boolean {
  return key.state === 'Enabled' && key.rotation !== undefined && key.rotation.nextMs <= nowMs;
}

/** Why a key cannot be rotated, in the ways that the API tells apart. */
export type RotationObstacle = 'spec' | 'origin' | 'replica';

export function rotationObstacle(key: KmsKey, kind: RotationType): RotationObstacle | undefined {
  if (key.keySpec !== 'SYMMETRIC_DEFAULT') {
    return 'spec';
  }
  if (key.origin !== 'AWS_KMS' && !(kind === 'ON_DEMAND' && key.origin === 'EXTERNAL')) {
    return 'origin';
  }
  return key.multiRegion?.type === 'REPLICA' ? 'replica' : undefined;
}
