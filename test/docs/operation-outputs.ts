/** The members of responses, out of the types of the operations. */
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export interface OutputMember {
  readonly name: string;
  readonly isAlwaysThere: boolean;
  readonly shape: string;
}

const REGISTRY = fileURLToPath(new URL('../../src/service/registry.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Members of the response of each operation, by its name; none for operations that answer nothing. */
export function readOutputs(): ReadonlyMap<string, readonly OutputMember[]> {
  const config = ts.readConfigFile(`${ROOT}tsconfig.json`, (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
  const program = ts.createProgram([REGISTRY], { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(REGISTRY);
  const declarations = source?.statements.flatMap((statement) =>
    ts.isVariableStatement(statement) ? statement.declarationList.declarations : [],
  );
  const registry = declarations?.find(({ name }) => name.getText() === 'OPERATIONS');
  if (registry === undefined) {
    throw new Error('the registry has no OPERATIONS');
  }
  const operations = checker.getPropertiesOfType(checker.getTypeAtLocation(registry));
  return new Map(
    operations.map((operation) => {
      const type = checker.getTypeOfSymbolAtLocation(operation, registry);
      const execute = checker.getPropertyOfType(type, 'execute');
      const [signature] =
        execute === undefined ? [] : checker.getTypeOfSymbolAtLocation(execute, registry).getCallSignatures();
      const output = signature && checker.getAwaitedType(signature.getReturnType());
      return [operation.name, output === undefined ? [] : membersOf(checker, output, registry)] as const;
    }),
  );
}

function membersOf(checker: ts.TypeChecker, type: ts.Type, at: ts.Node): OutputMember[] {
  return checker.getPropertiesOfType(type).map((property) => ({
    name: property.name,
    isAlwaysThere: (property.flags & ts.SymbolFlags.Optional) === 0,
    shape: shapeOf(checker, checker.getNonNullableType(checker.getTypeOfSymbolAtLocation(property, at)), at),
  }));
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'integer',
  boolean: 'boolean',
  true: 'boolean',
  false: 'boolean',
};

function shapeOf(checker: ts.TypeChecker, type: ts.Type, at: ts.Node): string {
  const name = type.getSymbol()?.name;
  if (name === 'Date') {
    return 'timestamp';
  }
  if (name === 'Uint8Array' || name === 'Buffer') {
    return 'bytes';
  }
  if (checker.isArrayType(type)) {
    const [item] = checker.getTypeArguments(type as ts.TypeReference);
    return item === undefined ? 'list' : `list of ${shapeOf(checker, item, at)}`;
  }
  const text = checker.typeToString(type);
  if (NAMES[text] !== undefined) {
    return NAMES[text];
  }
  const alternatives = type.isUnion() ? type.types : [type];
  if (alternatives.every((each) => each.isStringLiteral())) {
    const values = alternatives.map((each) => `\`${each.value}\``);
    return values.length === 1 ? `always ${values.join()}` : `one of ${values.join(', ')}`;
  }
  const members = membersOf(checker, type, at).map((each) => `\`${each.name}\`${each.isAlwaysThere ? '' : '?'}`);
  return members.length === 0 ? 'map of string to string' : `structure of ${members.join(', ')}`;
}
