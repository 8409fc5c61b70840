import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The first line of go.mod in a checkout of Levada. */
export const MODULE_LINE = 'module levada.dev';

/** The folder of the checkout, at `start` or above it, as the command itself looks for it. */
export function checkout(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (isCheckout(folder)) {
      return folder;
    }
    if (folder === dirname(folder)) {
      throw new Error(`neither ${start} nor a folder above is a checkout of levada.dev; nx g @levada/nx:init --directory FOLDER says where it is`);
    }
  }
}

/** Whether a folder has Levada's go.mod. */
export function isCheckout(folder: string): boolean {
  const file = join(folder, 'go.mod');
  return existsSync(file) && readFileSync(file, 'utf8').split('\n', 1)[0]?.trim() === MODULE_LINE;
}

/** The program that the target `cli` builds. */
export function program(folder: string): string {
  const path = join(folder, 'bin', process.platform === 'win32' ? 'levada.exe' : 'levada');
  if (!existsSync(path)) {
    throw new Error(`${path} is not there; nx run levada:cli builds it`);
  }
  return path;
}
