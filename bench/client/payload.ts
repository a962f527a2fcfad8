/** The payload is the same for every contender: 200 bytes of JSON. */
const PAYLOAD_BYTES = 200;
const frame = JSON.stringify({ text: '' }).length;

export const payload = { text: 'x'.repeat(PAYLOAD_BYTES - frame) };
export const payloadBytes = Buffer.from(JSON.stringify(payload));
