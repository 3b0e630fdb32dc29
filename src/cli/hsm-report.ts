/** What `keywright hsm` prints for people. */
import type { ListedKey } from '../hsm/provisioning/key-listing.ts';
import type { CheckResult } from '../hsm/provisioning/self-test.ts';
import type { HsmStatus, TokenStatus } from '../hsm/provisioning/status.ts';
import type { BenchRow } from './hsm-bench.ts';

export function describeStatus({ library, slots, token }: HsmStatus): string {
  return [
    `library   ${library.description} ${library.version}, ${library.manufacturer}; PKCS#11 ${library.cryptoki}`,
    `          ${library.path}`,
    ...slots.map(({ slot, description, label }, index) => {
      const state = label === undefined ? 'not initialised' : `token "${label}"`;
      const named = description === '' ? state : `${state} (${description})`;
      return `${(index === 0 ? 'slots' : '').padEnd(10)}${slot}: ${named}`;
    }),
    ...(token === undefined
      ? ['token     none is initialised: keywright hsm init --token-label LABEL does it']
      : describeToken(token)),
  ].join('\n');
}

function describeToken(token: TokenStatus): string[] {
  const { sessions, mechanisms } = token;
  const used = mechanisms.filter(({ use }) => use !== undefined);
  const count = (value: number | string | undefined): string => (value === undefined ? 'not told' : String(value));
  return [
    `token     "${token.label}" in slot ${token.slot}: ${token.manufacturer} ${token.model}`,
    `          serial ${token.serialNumber}, hardware ${token.hardwareVersion}, firmware ${token.firmwareVersion}`,
    `user PIN  ${token.hasUserPin ? `set, ${token.pinState}` : 'not set: keywright hsm init sets one'}`,
    `sessions  open: ${count(sessions.open)}; at most: ${count(sessions.most)}`,
    `can do    ${used.length} of the ${used.length + token.missing.length} mechanisms that Keywright has a use for, ` +
      `${mechanisms.length} in all`,
    ...table(used.map(({ name = '', minKeySize, maxKeySize, use = '' }) => [name, sizes(minKeySize, maxKeySize), use])),
    ...(token.missing.length === 0 ? [] : [`lacks     ${token.missing.join(', ')}`]),
  ];
}

/** As the module says them: bits or bytes. */
function sizes(min: number, max: number): string {
  return max === 0 ? '' : min === max ? String(min) : `${min} to ${max}`;
}

export function describeKeys(keys: readonly ListedKey[]): string {
  const rows = keys.map(({ label, id, class: keyClass, type, bits, variant, ...flags }) => [
    label === '' ? '-' : label,
    id === '' ? '-' : id,
    keyClass,
    [variant ?? type, ...(variant === undefined && bits !== undefined ? [bits] : [])].join(' '),
    (['sensitive', 'extractable', 'neverExtractable'] as const)
      .filter((name) => flags[name] === true)
      .map((name) => (name === 'neverExtractable' ? 'never-extractable' : name))
      .join(', '),
  ]);
  return keys.length === 0 ? 'no keys' : table([['LABEL', 'ID', 'CLASS', 'KEY', 'FLAGS'], ...rows], '').join('\n');
}

export function describeResults(results: readonly CheckResult[]): string {
  const count = (outcome: CheckResult['outcome']): number => results.filter((each) => each.outcome === outcome).length;
  return [
    ...table(
      results.map(({ name, mechanism, outcome, detail = '' }) => [name, mechanism, outcome, detail]),
      '',
    ),
    `${count('ok')} ok, ${count('not offered')} not offered, ${count('refused')} refused, ${count('FAILED')} FAILED`,
  ].join('\n');
}

export function describeSpeeds(rows: readonly BenchRow[]): string {
  const number = (value: number | undefined): string =>
    value === undefined ? '' : String(value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
  const cells = rows.map((row) =>
    'reason' in row
      ? [row.operation, '', row.reason]
      : [row.operation, ...[row.inFlight, row.opsPerSecond, row.p50Us, row.p99Us, row.p999Us, row.cpuUs].map(number)],
  );
  return table([['OPERATION', 'IN FLIGHT', 'OPS/S', 'P50 µs', 'P99 µs', 'P99.9 µs', 'CPU µs'], ...cells], '').join(
    '\n',
  );
}

function table(rows: readonly (readonly string[])[], indent = '          '): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => (indent + row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).trimEnd());
}
