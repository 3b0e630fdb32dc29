/** Strings, and the marks that tell where they stand. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/g;

/** The members that lead to the names of users, roles and accounts; lists in between do not count. */
const PLACES: ReadonlySet<string> = new Set(['Statement/Principal/AWS', 'Statement/NotPrincipal/AWS']);

/** An object or a list that is open at some place of a text; of an object the member that is being read. */
interface Open {
  readonly isObject: boolean;
  member: string | undefined;
}

/**
 * Gives the users, roles and accounts that a policy names other names; conditions, and every other character of the
 * text, stay as they are.
 *
 * @param json a policy that keeps the grammar
 */
export function renamePrincipals(json: string, rename: (name: string) => string): string {
  const open: Open[] = [];
  const renameToken = (token: string): string => {
    const inner = open.at(-1);
    if (token === '{' || token === '[') {
      open.push({ isObject: token === '{', member: undefined });
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (token === ',' && inner !== undefined) {
      inner.member = undefined;
    } else if (token.startsWith('"')) {
      const text = JSON.parse(token) as string;
      if (inner?.isObject === true && inner.member === undefined) {
        inner.member = text;
        return token;
      }
      const place = open.flatMap(({ isObject, member }) => (isObject ? [member] : [])).join('/');
      const renamed = PLACES.has(place) ? rename(text) : text;
      return renamed === text ? token : JSON.stringify(renamed);
    }
    return token;
  };
  return json.replace(TOKEN, renameToken);
}

/** The users, roles and accounts that a policy names. */
export function principalsOf(json: string): ReadonlySet<string> {
  const names = new Set<string>();
  renamePrincipals(json, (name) => {
    names.add(name);
    return name;
  });
  return names;
}
