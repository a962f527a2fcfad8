/** Logs are JSON lines on stderr; stdout is for the output of commands. REPRISE_LOG sets the level. */
import { pino, type Logger } from 'pino';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const STDERR = 2;

export function logger(name: string, otherwise = 'info'): Logger {
  const wanted = process.env['REPRISE_LOG'] ?? '';
  const level = LEVELS.includes(wanted) ? wanted : otherwise;
  return pino(
    {
      level,
      base: { name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: STDERR, sync: true }),
  );
}
