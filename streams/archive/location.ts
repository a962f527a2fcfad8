/** Where an archive is kept, from one text: a path, `file:///…`, or `s3://bucket/prefix?endpoint=…&region=…`. */
import { fileURLToPath } from 'node:url';
import { messageOf, RepriseError } from '../../protocols/errors.js';
import { FolderStore } from './folder-store.js';
import { openS3Store, type S3Place } from './s3-store.js';
import { isObjectName, type ArchiveStore } from './store.js';

export type ArchiveLocation =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 's3'; readonly place: S3Place };

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const OPTIONS: readonly string[] = ['endpoint', 'region'];
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;

/** @throws RepriseError INVALID_ARGUMENT; the message says what is wrong */
export function parseLocation(text: string): ArchiveLocation {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    if (text === '' || text.includes('\0')) throw invalid(text, 'it names no folder');
    return { kind: 'folder', path: text };
  }
  if (scheme === 'file') return { kind: 'folder', path: folderOf(text) };
  if (scheme === 's3') return { kind: 's3', place: placeOf(text) };
  throw invalid(text, 'it is neither a path nor file:// nor s3://');
}

export async function openStore(text: string): Promise<ArchiveStore> {
  const location = parseLocation(text);
  return location.kind === 's3' ? await openS3Store(location.place) : new FolderStore(location.path);
}

function folderOf(text: string): string {
  try {
    return fileURLToPath(text);
  } catch (error) {
    throw invalid(text, messageOf(error));
  }
}

function placeOf(text: string): S3Place {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !BUCKET.test(url.host)) throw invalid(text, 'it names no bucket');
  // Such a text is shown in logs and lists of processes.
  if (url.username !== '' || url.password !== '') throw invalid(text, 'credentials belong into the environment');
  const folder = url.pathname.replace(/^\/|\/$/g, '');
  if (folder !== '' && !isObjectName(folder)) throw invalid(text, 'its prefix has other characters than A-Za-z0-9._-/');
  const unknown = [...url.searchParams.keys()].find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) throw invalid(text, `there is no option ${unknown}`);
  const endpoint = url.searchParams.get('endpoint');
  if (endpoint !== null && !/^https?:\/\//.test(endpoint)) throw invalid(text, 'its endpoint is no http(s) URL');
  const region = url.searchParams.get('region');
  return {
    bucket: url.host,
    prefix: folder === '' ? '' : `${folder}/`,
    ...(endpoint === null ? {} : { endpoint }),
    ...(region === null ? {} : { region }),
  };
}

function invalid(text: string, why: string): RepriseError {
  // Without what may be a password.
  const shown = text.replace(/\/\/[^/@]*@/, '//…@').slice(0, 128);
  return new RepriseError('INVALID_ARGUMENT', `${JSON.stringify(shown)} is no location of an archive: ${why}.`);
}
