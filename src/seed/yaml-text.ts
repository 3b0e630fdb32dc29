import { CST, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, parseDocument, visit, type Document } from 'yaml';
import type { Alias, Node, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { SeedError, type Place } from './seed-error.ts';

/** Room for some thousand keys with policies and RSA material. */
export const MAX_SEED_BYTES = 4_194_304;

/** Levels of brackets, and of indicators or columns in one line: the parser of YAML is recursive. */
const MAX_FLOW_DEPTH = 64;
const MAX_INDICATORS_IN_LINE = 64;
const MAX_INDENTATION = 256;

/** Values that a file may have when every alias (`*name`) is written out. */
const MAX_VALUES = 200_000;

/** What stands at a node once aliases are followed. */
export type YamlValue = Scalar<string> | YamlMapping | YamlSequence;
export type YamlMapping = YAMLMap<Node, Node | null>;
export type YamlSequence = YAMLSeq<Node>;

/**
 * One YAML document with the places of its values. Every scalar is a text as it stands in the file (failsafe schema),
 * so that an account id keeps its leading zeros; who reads it decides what it must be.
 */
export class YamlText {
  readonly file: string;
  readonly #lines: LineCounter;
  readonly #document: Document;
  readonly #targets: ReadonlyMap<Alias, Node>;
  #valuesLeft = MAX_VALUES;

  /** @throws SeedError for what is no YAML, more than one document, or larger or deeper than any real file */
  constructor(text: string, file: string) {
    this.file = file;
    if (Buffer.byteLength(text, 'utf8') > MAX_SEED_BYTES) {
      throw new SeedError(file, START, `the file is larger than ${String(MAX_SEED_BYTES)} bytes`);
    }
    const tooDeep = findDeepLine(text);
    if (tooDeep !== undefined) {
      throw new SeedError(file, { line: tooDeep, column: 1 }, 'the file is nested too deeply');
    }
    this.#lines = new LineCounter();
    this.#document = parseDocument(text, {
      schema: 'failsafe',
      lineCounter: this.#lines,
      prettyErrors: false,
      // Looked for where mappings are read: the parser would compare every member with every other.
      uniqueKeys: false,
    });
    const [problem] = [...this.#document.errors, ...this.#document.warnings];
    if (problem !== undefined) {
      throw new SeedError(file, this.#placeOf(problem.pos[0]), problem.message);
    }
    this.#targets = findTargets(this.#document);
  }

  /** The whole content. */
  get root(): Node | null {
    return this.#document.contents;
  }

  place(node: Node | null): Place {
    return this.#placeOf(node?.range?.[0] ?? 0);
  }

  /**
   * Follows aliases.
   *
   * @throws SeedError for an alias without anchor, and when the aliases blow the file up
   */
  value(node: Node | null): YamlValue | undefined {
    if (--this.#valuesLeft < 0) {
      throw this.error(node, `the file has more than ${String(MAX_VALUES)} values when its aliases are written out`);
    }
    const target = isAlias(node) ? this.#targets.get(node) : node;
    if (isAlias(node) && target === undefined) {
      throw this.error(node, `no anchor &${node.source} stands in front of this alias`);
    }
    if (isMap<Node, Node | null>(target) || isSeq<Node>(target)) {
      return target;
    }
    return isScalar<string>(target) ? target : undefined;
  }

  error(node: Node | null, problem: string): SeedError {
    return new SeedError(this.file, this.place(node), problem);
  }

  #placeOf(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

const START: Place = { line: 1, column: 1 };

/** What each alias stands for: the last node before it with its anchor. */
function findTargets(document: Document): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node: (_key, node) => {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) {
          targets.set(node, target);
        }
      } else if (node.anchor !== undefined) {
        anchors.set(node.anchor, node);
      }
    },
  });
  return targets;
}

/** The line at which a text gets deeper than the parser should be asked to go; it only takes the text apart. */
function findDeepLine(text: string): number | undefined {
  let line = 1;
  let flowDepth = 0;
  let indicators = 0;
  let isScalarText = false;
  for (const token of new Lexer().lex(text)) {
    // The text of a scalar follows a token that only says so.
    const type: CST.TokenType | null = isScalarText ? null : CST.tokenType(token);
    isScalarText = type === 'scalar';
    if (type === 'flow-seq-start' || type === 'flow-map-start') {
      flowDepth++;
    } else if (type === 'flow-seq-end' || type === 'flow-map-end') {
      flowDepth--;
    } else if (type === 'seq-item-ind' || type === 'explicit-key-ind' || type === 'map-value-ind') {
      indicators++;
    } else if (type === 'newline') {
      line++;
      indicators = 0;
    } else if (type === 'space' && token.length > MAX_INDENTATION) {
      return line;
    }
    if (flowDepth > MAX_FLOW_DEPTH || (indicators > MAX_INDICATORS_IN_LINE && flowDepth === 0)) {
      return line;
    }
  }
  return undefined;
}
