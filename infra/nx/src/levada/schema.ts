import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a schema of this package says beside its options. */
export interface Schema {
  /** How the command line begins: `["levada", "deploy"]`. */
  'x-command': readonly string[];
  /** The options that are arguments of the command, in their order. The others are flags. */
  'x-arguments': readonly string[];
  /** Flags in the order in which they are passed. */
  properties: Readonly<Record<string, { type: string }>>;
}

/** One option, as Nx has read it by the schema. */
export type Value = string | number | boolean | readonly (string | number)[];
export type Options = Readonly<Record<string, Value | undefined>>;

/** Reads a schema of this package: `executors/deploy`. */
export function schema(name: string): Schema {
  return JSON.parse(readFileSync(join(__dirname, '..', '..', 'schemas', `${name}.json`), 'utf8'));
}

/**
 * The command line that a schema makes of options. Nothing is added to what was given: the command's own
 * defaults and its own refusals stay its own.
 */
export function commandLine(of: Schema, options: Options): string[] {
  const given = (key: string) => list(options[key]);
  const flags = Object.keys(of.properties).filter((key) => !of['x-arguments'].includes(key));
  const line = [...of['x-command'], ...flags.flatMap((key) => given(key).map((value) => flag(key, value)))];
  const words = of['x-arguments'].flatMap((key) => given(key).map(String));
  // An argument that begins with a hyphen is not to be taken for a flag.
  return words.length > 0 ? [...line, '--', ...words] : line;
}

function list(value: Value | undefined): readonly (string | number | boolean)[] {
  if (value === undefined) {
    return [];
  }
  return Array.isArray(value) ? value : [value as string | number | boolean];
}

/** Nx names options in camel case, the command in kebab case. */
function flag(key: string, value: string | number | boolean): string {
  const name = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return value === true ? name : `${name}=${value}`;
}
