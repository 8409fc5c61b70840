import type { Tree } from '@nx/devkit';
import { applyEdits, findNodeAtLocation, getNodeValue, modify, parseTree, type JSONPath, type ParseError, printParseErrorCode } from 'jsonc-parser';

/** A JSON file in the tree whose comments and form stay as they are. */
export class Jsonc {
  private text: string;

  constructor(
    private readonly tree: Tree,
    private readonly path: string,
  ) {
    this.text = tree.read(path, 'utf8') ?? '{}\n';
    const errors: ParseError[] = [];
    const root = parseTree(this.text, errors, { allowTrailingComma: true });
    const first = errors[0];
    if (first) {
      const line = this.text.slice(0, first.offset).split('\n').length;
      throw new Error(`${path}: line ${line}: ${printParseErrorCode(first.error)}; mend it, and run the generator again`);
    }
    if (root?.type !== 'object') {
      throw new Error(`${path}: is no object; mend it, and run the generator again`);
    }
  }

  /** The value at a place, undefined where there is none. */
  get(place: JSONPath): unknown {
    const root = parseTree(this.text, [], { allowTrailingComma: true });
    const node = root && findNodeAtLocation(root, place);
    return node && getNodeValue(node);
  }

  /**
   * Sets the members of an object that are not there; what is there stays as somebody wanted it. They go before those
   * that are there, so that a comment stays beside what it is about.
   */
  fill(place: JSONPath, members: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(members).reverse()) {
      if (this.get([...place, name]) === undefined) {
        this.set([...place, name], value);
      }
    }
  }

  /** Adds to a list, which is made if it is not there. */
  append(place: JSONPath, value: unknown): void {
    const list = this.get(place);
    if (list === undefined) {
      this.set(place, [value]);
    } else if (Array.isArray(list)) {
      this.set([...place, list.length], value);
    } else {
      throw new Error(`${this.path}: ${place.join('.')} is no list; mend it, and run the generator again`);
    }
  }

  /** Writes the file, unless it is as it was. */
  save(): void {
    if (this.text !== this.tree.read(this.path, 'utf8')) {
      this.tree.write(this.path, this.text);
    }
  }

  private set(place: JSONPath, value: unknown): void {
    const formattingOptions = { insertSpaces: true, tabSize: 2, eol: '\n' };
    this.text = applyEdits(this.text, modify(this.text, place, value, { formattingOptions, getInsertionIndex: () => 0 }));
  }
}
