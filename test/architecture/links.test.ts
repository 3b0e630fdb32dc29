import { describe, expect, it } from 'vitest';
import { checkAdrIndex, checkLinks } from './links.ts';
import { describeViolations, listFiles, readFiles } from './tree.ts';

describe('this checkout', () => {
  const pages = readFiles('', /\.md$/);

  it('has no dead relative link', () => {
    expect(describeViolations(checkLinks(pages, listFiles('')))).toEqual([]);
  });

  it('lists every decision record', () => {
    expect(describeViolations(checkAdrIndex(pages))).toEqual([]);
  });
});

describe('checkLinks', () => {
  const check = (text: string, path = 'docs/a.md'): string[] => {
    const pages = [
      { path, text },
      { path: 'README.md', text: '# The `name`: a title!\n\n## Twin\n\n## Twin\n' },
    ];
    return checkLinks(pages, [path, 'README.md', 'docs/pictures/one.svg']).map(({ rule }) => rule);
  };

  it.each([
    ['[a](missing.md)', 'dead link: missing.md'],
    ['![a](pictures/two.svg "title")', 'dead link: pictures/two.svg'],
    ['[a]: ../gone.md', 'dead link: ../gone.md'],
    ['<a href="gone.html">a</a>', 'dead link: gone.html'],
    ['[a](../../outside.md)', 'dead link: ../../outside.md'],
    ['[a](/README.md)', 'dead link: /README.md'],
    ['[a](../README.md#nothing)', 'dead anchor: ../README.md#nothing'],
    ['[a](#nothing)', 'dead anchor: #nothing'],
    ['[`code`](missing.md)', 'dead link: missing.md'],
  ])('finds %s', (text, rule) => {
    expect(check(text)).toEqual([rule]);
  });

  it('accepts files, folders, anchors, addresses and what is only code', () => {
    const text = `
# Here
[a](../README.md) [b](pictures/) [c](pictures/one.svg) [d](#here) [e](https://example.com/x.md)
[f](mailto:a@example.com)
[g](../README.md#the-name-a-title) [h](../README.md#twin-1)
\`[i](missing.md)\`

\`\`\`md
[j](missing.md)
\`\`\`
`;
    expect(check(text)).toEqual([]);
  });

  it('reports the line', () => {
    expect(describeViolations(checkLinks([{ path: 'a.md', text: 'x\n\n[a](b.md)\n' }], ['a.md']))).toEqual([
      'a.md:3: dead link: b.md',
    ]);
  });
});

describe('checkAdrIndex', () => {
  const record = { path: 'docs/adr/0001-linkage.md', text: '' };

  it('finds a record that the index leaves out, and a missing index', () => {
    expect(checkAdrIndex([record])).toHaveLength(1);
    expect(checkAdrIndex([record, { path: 'docs/adr/README.md', text: '0001-linkage.md' }])).toHaveLength(1);
  });

  it('accepts a linked record', () => {
    const index = { path: 'docs/adr/README.md', text: '- [Linkage](0001-linkage.md)' };
    expect(checkAdrIndex([record, index])).toEqual([]);
  });
});
