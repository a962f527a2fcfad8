/**
 * Where the archive of a namespace is, recorded in the metadata of the witness, so that whoever reads a journal finds
 * it. A location holds no credentials.
 */
import { resolve } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Namespace } from '../../protocols/ids.js';
import { streams } from '../../protocols/subjects.js';
import { isStreamNotFound, operating } from '../connect.js';
import { parseLocation } from './location.js';

const KEY = 'reprise.archive';

/** The same place for every process of a machine. @throws RepriseError INVALID_ARGUMENT */
export function fullLocation(text: string): string {
  const location = parseLocation(text);
  return location.kind === 'folder' ? resolve(location.path) : text;
}

/** @returns undefined if none is recorded, or there is no such namespace */
export async function recordedLocation(nc: NatsConnection, ns: Namespace): Promise<string | undefined> {
  try {
    const { config } = await (await jetstreamManager(nc, { checkAPI: false })).streams.info(streams.witness(ns));
    return config.metadata?.[KEY];
  } catch (error) {
    if (isStreamNotFound(error)) return undefined;
    throw operating(error, 'Reading where the archive is failed');
  }
}

/** @param location of {@link fullLocation} */
export async function recordLocation(nc: NatsConnection, ns: Namespace, location: string): Promise<void> {
  try {
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    const { config: { metadata } } = await jsm.streams.info(streams.witness(ns));
    if (metadata?.[KEY] === location) return;
    await jsm.streams.update(streams.witness(ns), { metadata: { ...metadata, [KEY]: location } });
  } catch (error) {
    throw operating(error, 'Recording where the archive is failed');
  }
}
