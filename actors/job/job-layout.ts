/** Where the fields of a job are in its row: numbers of 8 bytes, then words of 4, then the hash of the payload. */
import { FINAL_STATUSES, LIVE_STATUSES, type JobStatus } from './job.js';

export const NUMBERS = 9;
export const WORDS = 16;
export const HASH_BYTES = 32;
export const HASH_AT = NUMBERS * 8 + WORDS * 4;
export const ROW_BYTES = HASH_AT + HASH_BYTES;
export const ROW_WORDS = ROW_BYTES / 4;
export const ROW_NUMBERS = ROW_BYTES / 8;
export const [PLACE, FIRST_SEQ, LAST_SEQ, SUBMITTED_MS, TOTAL_DUE_MS] = [0, 1, 2, 3, 4];
export const FIRST_WORD = NUMBERS * 2;
export const [HIGH, MIDDLE, LOW, PRIORITY] = [FIRST_WORD, FIRST_WORD + 1, FIRST_WORD + 2, FIRST_WORD + 3];
export const [QUEUE, TYPE, POLICY, CONTENT_TYPE] = [FIRST_WORD + 4, FIRST_WORD + 5, FIRST_WORD + 6, FIRST_WORD + 7];
export const [SIZE, INDEX, ATTEMPT, LEASE] = [FIRST_WORD + 8, FIRST_WORD + 9, FIRST_WORD + 10, FIRST_WORD + 11];
export const [WORKER, SESSION, REQUIRE, PREFER] = [FIRST_WORD + 12, FIRST_WORD + 13, FIRST_WORD + 14, FIRST_WORD + 15];
export const TEXTS = [QUEUE, TYPE, POLICY, CONTENT_TYPE, WORKER, SESSION, REQUIRE, PREFER];

/** In the word LOW: the last 16 bits of the id, flags, and the status. Status 0 is a free row. */
export const STATUSES: readonly (JobStatus | undefined)[] = [undefined, ...LIVE_STATUSES, ...FINAL_STATUSES];
export const CODES = new Map(STATUSES.map((status, code) => [status, code]));
export const STATUS = 0xff;
export const REPORTED = 1 << 8;
export const CANCELLING = 1 << 9;
