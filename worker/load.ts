/**
 * Loads performers from files and folders. TypeScript goes through tsx, which is loaded only for it. A file that lies
 * where no package "reprise" is found gets this one.
 */
import { readdir, stat } from 'node:fs/promises';
import { createRequire, register } from 'node:module';
import { extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RepriseError } from '../protocols/errors.js';
import { isPerformer, type Performer } from './performer/performer.js';

export interface LoadedPerformer {
  readonly performer: Performer;
  readonly file: string;
}

const EXTENSIONS = new Set(['.js', '.mjs', '.ts']);
/** Whether this module itself runs as TypeScript: then something that loads it is there already. */
const FROM_SOURCE = import.meta.url.endsWith('.ts');
const SDK = new URL(`../../sdk/index.${FROM_SOURCE ? 'ts' : 'js'}`, import.meta.url).href;

/**
 * @param paths files, or folders, of which every file with a default export counts and others are taken for helpers
 * @throws RepriseError PERFORMER_NOT_LOADED
 */
export async function loadPerformers(paths: readonly string[]): Promise<readonly LoadedPerformer[]> {
  const loaded = new Map<string, LoadedPerformer>();
  for (const path of new Set(paths.map((given) => resolve(given)))) {
    for (const { performer, file } of await loadPath(path)) {
      const other = loaded.get(performer.type);
      if (other !== undefined && other.file !== file) throw refusal(file, `${performer.type} is in ${other.file} as well`);
      if (other !== undefined && other.performer !== performer) throw refusal(file, `it has two performers called ${performer.type}`);
      loaded.set(performer.type, { performer, file });
    }
  }
  if (loaded.size === 0) throw refusal(paths.join(', ') || 'nothing', 'there is no performer in it');
  return [...loaded.values()];
}

async function loadPath(path: string): Promise<readonly LoadedPerformer[]> {
  const isFolder = await stat(path).then((found) => found.isDirectory(), (cause: unknown) => {
    throw refusal(path, 'it cannot be read', cause);
  });
  if (!isFolder) return await loadFile(path, true);
  const found: LoadedPerformer[] = [];
  for (const name of (await readdir(path)).sort()) {
    if (isPerformerFile(name)) found.push(...(await loadFile(join(path, name), false)));
  }
  return found;
}

/** Whether a file of a folder is looked at for performers. */
export const isPerformerFile = (name: string): boolean =>
  EXTENSIONS.has(extname(name)) && !name.startsWith('.') && !/\.(d|test|spec)\.[^.]+$/.test(name);

async function loadFile(file: string, named: boolean): Promise<readonly LoadedPerformer[]> {
  if (!EXTENSIONS.has(extname(file))) throw refusal(file, 'only .js, .mjs and .ts can be');
  await prepare(file);
  const exported = defaultOf(await importFile(file));
  if (exported === undefined && !named) return [];
  const performers: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  return performers.map((performer) => {
    if (!isPerformer(performer)) throw refusal(file, 'its default export is not a performer, nor an array of them');
    return { performer, file };
  });
}

async function importFile(file: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (cause) {
    throw refusal(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** A module that was compiled to CommonJS has its default export one level down. */
function defaultOf(module: unknown): unknown {
  const exported = (module as { default?: unknown }).default;
  const isWrapped = typeof exported === 'object' && exported !== null && !isPerformer(exported) && 'default' in exported;
  return isWrapped ? exported.default : exported;
}

let canLoadTypeScript = FROM_SOURCE;
let isHooked = false;

async function prepare(file: string): Promise<void> {
  const isTypeScript = extname(file) === '.ts';
  if (isTypeScript && !canLoadTypeScript) {
    canLoadTypeScript = true;
    const { register: registerTsx } = await import('tsx/esm/api');
    registerTsx();
    // The last hook has the first word, and ours must have it.
    isHooked = false;
  }
  if (!isHooked && (isTypeScript || !findsPackage(file))) {
    isHooked = true;
    register(`data:text/javascript,${encodeURIComponent(HOOK)}`, { data: SDK });
  }
}

function findsPackage(file: string): boolean {
  try {
    createRequire(file).resolve('reprise');
    return true;
  } catch {
    return false;
  }
}

/**
 * Finds "reprise" where no such package is installed, and takes what is written with import and export for a module also
 * where no package.json says so. Inline, because hooks run in a thread of their own, where no TypeScript is loaded.
 */
const HOOK = String.raw`
import { readFile } from 'node:fs/promises';
let sdk;
export function initialize(data) { sdk = data; }
export async function resolve(specifier, context, next) {
  const found = await find(specifier, context, next);
  const isOwn = /^file:[^?]*\.[jt]s(\?|$)/.test(found.url) && !found.url.includes('/node_modules/');
  return isOwn && found.format === 'commonjs' && await isModule(found.url) ? { ...found, format: 'module' } : found;
}
async function find(specifier, context, next) {
  if (specifier !== 'reprise') return next(specifier, context);
  try { return await next(specifier, context); } catch { return next(sdk, context); }
}
async function isModule(url) {
  const text = await readFile(new URL(url.split('?')[0]), 'utf8').catch(() => '');
  return /^\s*(import\s*[\w"'{*]|export\s)/m.test(text);
}`;

function refusal(file: string, why: string, cause?: unknown): RepriseError {
  return new RepriseError('PERFORMER_NOT_LOADED', `${file}: ${why}`, { cause });
}
