import t from 'tap';
import type { Partition } from '../../protocols/ids.js';
import type { StoredSnapshot } from '../../streams/snapshots/store.js';
import type { PartitionFigures } from '../system/figures.js';
import { linesOf } from '../system/lines.js';
import { archiveFinding, snapshotFindings } from './snapshots.js';

const MB = 1_000_000;
const NOW_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;

type Taken = readonly [seq: number, bytes: number, ageMs: number, isVerified?: boolean];

/** Of a journal of 1,000 positions. @param snapshots as position, size and age */
function figures(bytes: number, ...snapshots: readonly Taken[]): PartitionFigures {
  return {
    partition: 2 as Partition,
    journal: { firstSeq: 1, lastSeq: 1_000, commits: 1_000, bytes },
    snapshots: snapshots.map(([seq, size, ageMs, isVerified = true]) =>
      ({ seq, bytes: size, takenMs: NOW_MS - ageMs, isVerified }) as StoredSnapshot),
    archive: { location: '/archive', seq: 40 }, watermarks: [{ name: 'the archive', seq: 40 }],
    truncation: { seq: 40, names: ['the archive'], by: 50 },
  };
}

t.test('a snapshot that is missing or late is a warning only if the journal has grown', (t) => {
  const table: readonly (readonly [what: string, of: PartitionFigures, warning: RegExp | undefined])[] = [
    ['none, a small journal', figures(100 * MB), undefined],
    ['none, a large journal', figures(300 * MB), /^partition 2: no .* is verified, although the journal has 300 MB$/],
    ['none that is verified', figures(300 * MB, [900, MB, 0, false]), /no snapshot is verified/],
    ['a fresh one', figures(9_000 * MB, [990, MB, HOUR_MS]), undefined],
    ['a late one', figures(900 * MB, [500, MB, HOUR_MS]), /snapshot is 1h old, and some 450 MB were written since/],
    ['not late: it is large', figures(900 * MB, [500, 100 * MB, HOUR_MS]), undefined],
    ['an old one, and nothing was written', figures(900 * MB, [1_000, MB, 1_000 * HOUR_MS]), undefined],
    ['an old one, and a little was written', figures(100 * MB, [500, MB, 30 * HOUR_MS]), /1d 6h old, and some 50.0 MB/],
    ['as much, and not old', figures(100 * MB, [500, MB, 20 * HOUR_MS]), undefined],
  ];
  for (const [what, of, warning] of table) {
    const [finding, ...more] = snapshotFindings([figures(MB, [1_000, MB, 0]), of], NOW_MS);
    t.equal(finding!.level, warning === undefined ? 'ok' : 'warn', what);
    if (warning) t.match(finding, { what: 'snapshots', found: warning, hint: /reprise snapshots take/ }, what);
    t.same(more, [], what);
  }
  t.end();
});

t.test('the figures of a partition, for people', (t) => {
  const lines = [...linesOf(figures(12 * MB, [900, MB, 90_000], [800, MB, 9e6], [850, MB, 0, false]), NOW_MS)];
  t.strictSame(lines, [
    'partition 2',
    '  journal     positions 1 to 1000, 12.0 MB',
    '  snapshots   2 verified, 3.00 MB; the newest at position 900, 1m 30s old',
    '  archive     up to position 40, in /archive',
    '  watermarks  the archive: 40',
    '  truncation  positions up to 40 may be removed; 50 more wait for the archive',
  ]);
  const journal = { firstSeq: 0, lastSeq: 0, commits: 0, bytes: 0 };
  const empty = { ...figures(0), journal, truncation: { seq: 0, names: ['the archive'], by: 0 } };
  const nothing = /truncation {2}nothing may be removed$/;
  t.match([...linesOf(empty, NOW_MS)], [/./, / empty$/, / none is verified$/, /./, /./, nothing]);
  t.match([...linesOf({ ...empty, watermarks: [], truncation: undefined }, NOW_MS)].at(-1), /nobody has said/);
  t.end();
});

t.test('an archive is none, has nothing yet, or cannot be read, which is a warning', (t) => {
  const of = (archive: PartitionFigures['archive']) => archiveFinding([{ ...figures(MB), archive }], NOW_MS);
  t.match(of({ seq: 0 }), { level: 'ok', found: '2: none, so the journal is never truncated' });
  t.match(of({ location: '/archive', seq: 0 }), { level: 'ok', found: '2: nothing yet, in /archive' });
  t.match(of({ seq: 0, problem: 'It is gone.' }), { level: 'warn', found: /It is gone\.$/, hint: /brokers reach it/ });
  t.end();
});

t.test('an archive that is not written any more, or that lacks what the journal has no longer, is a warning', (t) => {
  const journal = { firstSeq: 42, lastSeq: 1_000, commits: 959, bytes: MB };
  const of = (archive: PartitionFigures['archive']) => archiveFinding([{ ...figures(MB), journal, archive }], NOW_MS);
  const location = '/archive';
  t.match(of({ location, seq: 41, waitingSinceMs: NOW_MS - 300_000 }), { level: 'ok' });
  t.match(of({ location, seq: 1_000 }), { level: 'ok' });
  const late = /up to position 41, in \/archive; 2: what comes after it has waited for 20m/;
  t.match(of({ location, seq: 41, waitingSinceMs: NOW_MS - 1_200_000 }), { level: 'warn', found: late, hint: /disk/ });
  const gap = /; 2: the journal begins at 42, and what was before is not in it$/;
  t.match(of({ location, seq: 40 }), { level: 'warn', found: gap, hint: /--archive/ });
  t.match(of({ seq: 0 }), { level: 'warn', found: gap, hint: /--archive/ });
  t.end();
});
