import t from 'tap';
import type { Partition } from '../../protocols/ids.js';
import { decodeLeniently } from '../../protocols/lenient.js';
import { journal } from '../../protocols/messages.js';
import { Chain } from '../../streams/chain.js';
import { jobKind } from '../../actors/job/job.kind.js';
import { newCore, Play } from '../../tests/play.js';

const HALF_OF_A_PAIR = Buffer.from([0xed, 0xa0, 0x80]);

/** As version 0.1.0 encoded `\ud800`: three bytes that no UTF-8 decoder takes. */
function poisoned(commit: Uint8Array): Buffer {
  const bytes = Buffer.from(commit);
  for (let at = bytes.indexOf('HALF'); at >= 0; at = bytes.indexOf('HALF')) HALF_OF_A_PAIR.copy(bytes, at + 1);
  return bytes;
}

t.test('given a journal of 0.1.0 with half of a surrogate pair in its texts, then it folds', async (t) => {
  const play = new Play();
  const id = play.submit({ key: 'a key HALF', commandId: 'a command HALF', labels: { tenant: 'HALF' } });
  play.submit({ key: 'another' });
  const commits = play.commits.map(poisoned);
  t.throws(() => journal.Commit.decode(commits[0]!), 'the generated code refuses it');

  const core = newCore();
  for (const [nth, bytes] of commits.entries()) core.replay(decodeLeniently(journal.Commit, bytes), nth + 1);
  t.match(core.read(jobKind).get(id), { key: 'a key H\ufffd\ufffd\ufffd', labels: { tenant: 'H\ufffd\ufffd\ufffd' } });
  t.equal(core.state.cast.get('job')?.seen, 2);
  t.equal(new Chain(0 as Partition).accept({ seq: 1, bytes: commits[0]! }).kind, 'commit', 'and it is no foreign message');
});
