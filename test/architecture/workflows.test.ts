import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeViolations, ROOT } from './tree.ts';
import { checkWorkflow, type Checkout } from './workflows.ts';

const FOLDER = '.github/workflows/';

describe('this checkout', () => {
  it.each(readdirSync(ROOT + FOLDER))('has a workflow %s that can run', (name) => {
    const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: object };
    const checkout = { isFile: (path: string) => existsSync(ROOT + path), npmScripts: Object.keys(scripts) };
    const text = readFileSync(ROOT + FOLDER + name, 'utf8');
    expect(describeViolations(checkWorkflow(FOLDER + name, text, checkout))).toEqual([]);
  });
});

describe('checkWorkflow', () => {
  const checkout: Checkout = { isFile: (path) => path === 'script/test', npmScripts: ['build'] };
  const sound = `
on: push
permissions: { contents: read }
jobs:
  one:
    strategy: { matrix: { a: [1], include: [{ a: 1, b: 2 }] } }
    steps:
      - uses: actions/checkout@v4
      - run: npm run build && bash script/test \${{ matrix.a }} \${{ matrix.b }}
  two:
    needs: one
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683
`;

  it('accepts one that can run', () => {
    expect(checkWorkflow('a.yml', sound, checkout)).toEqual([]);
  });

  it.each([
    ['on: push', 'on: [push', /is no YAML/],
    ['on: push', 'name: a', /has no trigger/],
    ['contents: read', 'contents: write', /may do more than read/],
    ['npm run build', 'npm publish --token ${{ secrets.A }}', /uses secrets/],
    ['needs: one', 'needs: [one, three]', /needs three/],
    ['checkout@v4', 'checkout@main', /not pinned/],
    ['- uses: actions/checkout@v4', '- name: nothing', /does not either use or run/],
    ['script/test', 'script/tset', /runs script\/tset/],
    ['run build', 'run bulid', /runs bulid/],
    ['matrix.b', 'matrix.c', /has no matrix\.c/],
  ])('finds what is wrong where "%s" is "%s"', (right, wrong, rule) => {
    const violations = checkWorkflow(
      'a.yml',
      sound.replace(right, () => wrong),
      checkout,
    );
    expect(violations.map((violation) => violation.rule)).toEqual([expect.stringMatching(rule)]);
  });
});
