/**
 * Loads performers from files and folders. TypeScript is loaded by tsx, which is imported only when it is needed. Where
 * the package "reprise" is not installed, a performer's import of it resolves to this package.
 */
import { readdir, stat } from 'node:fs/promises';
import { createRequire, register } from 'node:module';
import { extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf, RepriseError } from '../protocols/errors.js';
import { isPerformer, type Performer } from './performer/performer.js';

export interface LoadedPerformer {
  readonly performer: Performer;
  readonly file: string;
}

const EXTENSIONS = new Set(['.js', '.mjs', '.ts']);
/** Whether this module runs as TypeScript itself: then a loader for it is installed already. */
const FROM_SOURCE = import.meta.url.endsWith('.ts');
const SDK = new URL(`../sdk/index.${FROM_SOURCE ? 'ts' : 'js'}`, import.meta.url).href;

/**
 * @param paths files or folders. In a folder, files without a default export are taken for modules that others import
 * @throws RepriseError PERFORMER_NOT_LOADED
 */
export async function loadPerformers(paths: readonly string[]): Promise<readonly LoadedPerformer[]> {
  const loaded = new Map<string, LoadedPerformer>();
  for (const path of new Set(paths.map((given) => resolve(given)))) {
    for (const { performer, file } of await loadPath(path)) {
      const { type } = performer;
      const other = loaded.get(type) ?? { performer, file };
      if (other.file !== file) throw refusal(file, `the job type ${type} has a performer in ${other.file} already`);
      if (other.performer !== performer) throw refusal(file, `it exports two performers for the job type ${type}`);
      loaded.set(type, { performer, file });
    }
  }
  if (loaded.size === 0) throw refusal(paths.join(', ') || 'no path', 'no performer was found');
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

/** Whether a file of a folder is loaded to look for performers. */
export const isPerformerFile = (name: string): boolean =>
  EXTENSIONS.has(extname(name)) && !name.startsWith('.') && !/\.(d|test|spec)\.[^.]+$/.test(name);

async function loadFile(file: string, named: boolean): Promise<readonly LoadedPerformer[]> {
  if (!EXTENSIONS.has(extname(file))) throw refusal(file, 'only .js, .mjs and .ts files can be loaded');
  await prepare(file);
  const exported = defaultOf(await importFile(file));
  if (exported === undefined && !named) return [];
  const performers: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  return performers.map((performer) => {
    if (isPerformer(performer)) return { performer, file };
    throw refusal(file, 'its default export must be a performer, as performer() returns it, or an array of them');
  });
}

async function importFile(file: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (cause) {
    throw refusal(file, messageOf(cause), cause);
  }
}

/** A module that was compiled to CommonJS has its default export one level down. */
function defaultOf(module: unknown): unknown {
  const exported = (module as { default?: unknown }).default;
  if (typeof exported !== 'object' || exported === null || isPerformer(exported)) return exported;
  return 'default' in exported ? exported.default : exported;
}

let canLoadTypeScript = FROM_SOURCE;
let isHooked = false;

async function prepare(file: string): Promise<void> {
  const isTypeScript = extname(file) === '.ts';
  if (isTypeScript && !canLoadTypeScript) {
    canLoadTypeScript = true;
    const { register: registerTsx } = await import('tsx/esm/api');
    registerTsx();
    // Hooks run last registered first, and ours must run first.
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
 * Resolves "reprise" where the package is not installed, and treats a file with import or export statements as a module
 * even if no package.json says so. Inline, because hooks run in their own thread, where TypeScript cannot be loaded.
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
