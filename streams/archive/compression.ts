/** Brotli at its lowest quality but one: see docs/adr/0018 for what else was measured. It runs in the thread pool. */
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';

const QUALITY = 1;
/** As long as a block: 256 KiB. */
const WINDOW_BITS = 18;

const compressing = promisify(brotliCompress);
const decompressing = promisify(brotliDecompress);

export async function compress(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes.length === 0) return bytes;
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = constants;
  return await compressing(bytes, { params: {
    [BROTLI_PARAM_QUALITY]: QUALITY, [BROTLI_PARAM_LGWIN]: WINDOW_BITS, [BROTLI_PARAM_SIZE_HINT]: bytes.length,
  } });
}

/** @throws Error unless the result has that many bytes */
export async function decompress(bytes: Uint8Array, rawBytes: number): Promise<Uint8Array> {
  if (rawBytes === 0 && bytes.length === 0) return bytes;
  // No more memory than the table says, whatever the bytes are.
  const raw = await decompressing(bytes, { maxOutputLength: Math.max(1, rawBytes) });
  if (raw.length !== rawBytes) throw new RangeError(`${raw.length} bytes instead of ${rawBytes}`);
  return raw;
}
