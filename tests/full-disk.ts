/**
 * A disk that is full for one server, without root and without a file system of its own: the kernel refuses to let that
 * process write beyond a file's first byte, and the server treats that as it treats every failed write.
 */
import { spawnSync } from 'node:child_process';

export class Disk {
  constructor(private readonly pid: number) {}

  /** Why it cannot be done here; false when it can. */
  static get absent(): string | false {
    return spawnSync('prlimit', ['--version']).status === 0 ? false : 'prlimit (util-linux) is not installed';
  }

  fill(): void {
    this.limit('1');
  }

  makeRoom(): void {
    this.limit('unlimited');
  }

  private limit(bytes: string): void {
    const { status, stderr } = spawnSync('prlimit', ['--pid', String(this.pid), `--fsize=${bytes}:`]);
    if (status !== 0) throw new Error(`prlimit failed: ${stderr.toString()}`);
  }
}
