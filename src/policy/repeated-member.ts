/** Strings, and the marks that tell where they stand. Everything else in JSON is no matter of names. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g;

/**
 * The name of a member that stands twice in one object, in a text that is JSON. A parser keeps the last one only, and
 * who reads the text sees the first one, too: of a condition, or of an effect.
 */
export function findRepeatedMember(json: string): string | undefined {
  /** Names seen in the objects that are open; undefined for a list. */
  const open: (Set<string> | undefined)[] = [];
  let text = '';
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined);
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (token !== ':') {
      text = token;
    } else {
      const name = String(JSON.parse(text));
      const names = open.at(-1);
      if (names?.has(name) === true) {
        return name;
      }
      names?.add(name);
    }
  }
  return undefined;
}
