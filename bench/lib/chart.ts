/** Line charts as SVG, with both axes logarithmic or in steps; for pages that load nothing. */

/** A line: one value for each place on the x axis, or the same everywhere. */
export interface Series {
  readonly name: string;
  readonly values: readonly (number | undefined)[];
  /** Stands for all places: drawn dashed, from side to side. */
  readonly isLevel: boolean;
}

export interface Chart {
  readonly title: string;
  /** Under the x axis, from left to right. */
  readonly places: readonly string[];
  readonly series: readonly Series[];
}

const WIDTH = 560;
const HEIGHT = 300;
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 12, 28, 36];
/** Distinct to the eye, also to most that confuse red and green (Okabe and Ito). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7f7f7f', '#b2912f', '#332288'];

export function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] ?? '#000';
}

/** The values of the y axis are on a logarithmic scale, by whole powers of ten; values of 0 and less are left out. */
export function chartSvg({ title, places, series }: Chart): string {
  const values = series.flatMap((each) => each.values.filter((value) => value !== undefined && value > 0)) as number[];
  if (values.length === 0) return '';
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const x = (place: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * (place + 0.5)) / places.length;
  const y = (value: number): number => TOP + ((HEIGHT - TOP - BOTTOM) * (high - Math.log10(value))) / (high - low);
  const decades = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));

  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">`,
    `<text x="${LEFT}" y="16" class="title">${escapeHtml(title)}</text>`,
    ...decades.map(
      (value) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${fixed(y(value))}" y2="${fixed(y(value))}"/>` +
        `<text x="${LEFT - 6}" y="${fixed(y(value) + 4)}" text-anchor="end">${short(value)}</text>`,
    ),
    ...places.map(
      (place, index) =>
        `<text x="${fixed(x(index))}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${escapeHtml(place)}</text>`,
    ),
    ...series.map((each, index) => line(each, colourOf(index), x, y)),
    '</svg>',
  ].join('\n');
}

function line(
  { name, values, isLevel }: Series,
  colour: string,
  x: (place: number) => number,
  y: (value: number) => number,
): string {
  const points = values.flatMap((value, place) => (value !== undefined && value > 0 ? [{ value, place }] : []));
  const title = (value: number): string => `<title>${escapeHtml(name)}: ${short(value)}</title>`;
  const [first] = points;
  if (first === undefined) return '';
  if (isLevel) {
    const at = fixed(y(first.value));
    const ends = `x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"`;
    return `<line class="level" stroke="${colour}" ${ends}>${title(first.value)}</line>`;
  }
  const path = points.map(({ value, place }) => `${fixed(x(place))},${fixed(y(value))}`).join(' ');
  const dots = points.map(
    ({ value, place }) =>
      `<circle fill="${colour}" cx="${fixed(x(place))}" cy="${fixed(y(value))}" r="3">${title(value)}</circle>`,
  );
  return `<polyline fill="none" stroke="${colour}" points="${path}"/>${dots.join('')}`;
}

/** 12.3k, 4.56M: three digits. */
export function short(value: number): string {
  const units = ['', 'k', 'M', 'G'];
  const unit = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return `${Number((value / 1000 ** unit).toPrecision(3))}${units[unit] ?? ''}`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
