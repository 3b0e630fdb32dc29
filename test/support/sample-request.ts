/** Requests that are within the limits of their shapes, derived from the shapes. */
import type { MemberShape, Shape } from '../../src/service/schema.ts';
import { ACCOUNT } from './doors.ts';

export type StringShape = Extract<Shape, { kind: 'string' }>;

/** So many bytes as JSON carries them. */
export const base64 = (length: number): string => Buffer.alloc(length, 1).toString('base64');

/** Strings of any length that between them satisfy every pattern of the service model. */
const STRINGS: readonly ((length: number) => string)[] = [
  (length) => 'a'.repeat(length),
  (length) => '1'.repeat(length),
  (length) => 'A'.repeat(length),
  (length) => `a.a.${'a'.repeat(Math.max(0, length - 4))}`,
  (length) => `a-a-${'1'.repeat(Math.max(0, length - 4))}`,
  (length) => `arn:aws:s3::${ACCOUNT}:${'a'.repeat(Math.max(0, length - 25))}`,
  (length) => `https://${'a'.repeat(Math.max(0, length - 8))}`,
  (length) => `/${'a'.repeat(Math.max(0, length - 12))}/kms/xks/v1`,
  (length) => `cluster-${'a'.repeat(Math.max(0, length - 8))}`,
  (length) => `com.amazonaws.vpce.us-east-1.vpce-svc-${'a'.repeat(Math.max(0, length - 38))}`,
];
/** A string of this length that the pattern of the shape takes, if these tests know one. */
export function stringOf(length: number, { pattern }: StringShape): string | undefined {
  const matcher = new RegExp(`^(?:${pattern ?? '.*'})$`, 'u');
  return STRINGS.map((make) => make(length)).find((text) => text.length === length && matcher.test(text));
}

/** The shortest string that the shape accepts. */
export function sampleString(shape: StringShape): string {
  for (let length = shape.min ?? 0; length <= Math.min(shape.max ?? 64, 64); length++) {
    const text = stringOf(length, shape);
    if (text !== undefined) {
      return text;
    }
  }
  throw new Error(`no string of these tests matches ${String(shape.pattern)}: STRINGS needs another one`);
}

/** A small value that the shape accepts, as JSON carries it. */
export function sample(shape: Shape): unknown {
  switch (shape.kind) {
    case 'string':
      return sampleString(shape);
    case 'enumeration':
      return shape.values[0];
    case 'integer':
      return shape.min ?? 1;
    case 'boolean':
      return false;
    case 'timestamp':
      return 1_800_000_000.5;
    case 'blob':
      return base64(shape.min ?? 1);
    case 'list':
      return [sample(shape.item)];
    case 'map':
      return { a: 'b' };
    case 'structure':
      return sampleStructure(shape.members);
  }
}

/** The required members alone. */
export function sampleStructure(members: Readonly<Record<string, MemberShape>>): Record<string, unknown> {
  const required = Object.entries(members).filter(([, { isRequired }]) => isRequired);
  return Object.fromEntries(required.map(([name, member]) => [name, sample(member.shape)]));
}
