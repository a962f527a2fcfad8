/** Whether a process runs, also one of another user. @param pid of a process, or of a group as a negative number */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
