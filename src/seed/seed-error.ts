/** A place in a seed file, counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A seed file that cannot be applied; its text begins with `file:line:column`. Nothing of the file was applied. */
export class SeedError extends Error {
  override readonly name = 'SeedError';
  readonly file: string;
  readonly place: Place;

  constructor(file: string, place: Place, problem: string) {
    super(`${file}:${String(place.line)}:${String(place.column)}: ${problem}`);
    this.file = file;
    this.place = place;
  }
}
