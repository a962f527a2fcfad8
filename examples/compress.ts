// Reads a file, compresses it with brotli, and returns its hash and both sizes: the work of `npm start`.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { performer } from "reprise";

interface Input {
  path: string;
  quality?: number;
}

const compress = promisify(brotliCompress);

export default performer("compress", {
  validate: ({ path }: Input) => (typeof path === "string" && path !== "") || "path must name a file",

  async handle({ path, quality = 5 }: Input) {
    const original = await readFile(path);
    const compressed = await compress(original, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } });
    return {
      path,
      sha256: createHash("sha256").update(original).digest("hex"),
      bytes: original.length,
      compressedBytes: compressed.length,
    };
  },
});
