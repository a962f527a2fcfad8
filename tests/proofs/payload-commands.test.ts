import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Reprise } from '../broker.js';
import { run } from '../command/rig.js';
import { Stranger } from '../stranger.js';

const ODD = '{"id":12345678901234567890,\n"x" : 1e400,\t"a":1,"a":"\\u0061\\ud800"}';
const ODD_ON_ONE_LINE = ODD.replace('\n', ' ').replace('\t', ' ');

t.test('the command sends JSON as it is written, and prints it as it is stored', async (t) => {
  const reprise = await Reprise.start(t);
  const worker = await Stranger.connect(reprise);
  t.teardown(() => worker.close());
  const cwd = t.testdir();
  await writeFile(join(cwd, 'odd.json'), `\ufeff${ODD}\n`);
  const command = async (args: string[], input?: string): Promise<string> => {
    const where = ['--nats', reprise.brokerUrl, '--namespace', reprise.ns];
    const ran = await run([...args, ...where], { cwd, ...(input !== undefined && { input }) });
    t.equal(ran.code, 0, ran.stderr);
    return ran.stdout;
  };
  const text = async (subject: string, request: string): Promise<string> =>
    String(Buffer.from((await worker.raw(subject, request, 20_000)).data));
  const me = JSON.stringify(await worker.register('w', { types: ['odd'], capacity: 1 })).slice(1, -1);
  let pullSeq = 0;
  /** Completes the next job with its own payload. @returns the reply to the pull that leased it */
  const work = async (): Promise<string> => {
    for (;;) {
      const pulled = await text('worker.pull', `{${me},"pullSeq":${(pullSeq += 1)},"free":1,"expiresMs":5000}`);
      const token = /"token":"([^"]+)"/.exec(pulled)?.[1];
      if (token === undefined) continue;
      await text('worker.report', `{${me},"reports":[{"token":"${token}","outcome":"ok","result":${ODD}}]}`);
      return pulled;
    }
  };

  const ways: [way: string, args: string[], input?: string][] = [
    ['an argument', [` ${ODD}\n`]],
    ['a file', ['@odd.json']],
    ['stdin', ['-'], `\n${ODD} `],
  ];
  for (const [way, args, input] of ways) {
    const [printed, pulled] = await Promise.all([command(['submit', 'odd', ...args, '--wait'], input), work()]);
    t.ok(pulled.includes(`"payload":${ODD}}`), `${way} arrives as it was written`);
    t.equal(printed, `${ODD}\n`, 'and so does the result');
  }

  const [answer] = await Promise.all([command(['submit', 'odd', ODD, '--wait', '--json']), work()]);
  t.ok(answer.endsWith(`"result":${ODD}}\n`), answer);
  const { jobId } = JSON.parse(answer) as { jobId: string };
  t.ok((await command(['jobs', 'show', jobId, '--json'])).endsWith(`"result":${ODD}}\n`));
  t.ok((await command(['jobs', 'show', jobId])).includes(`result     ${ODD_ON_ONE_LINE}\n`));
  for (const args of [['replay', jobId, '--json'], ['jobs', 'watch', jobId, '--json']]) {
    const steps = (await command(args)).trim().split('\n');
    const stepOf = (event: string): string => steps.find((step) => step.includes(event))!;
    t.ok(stepOf('JobSubmitted').endsWith(`"payload":${ODD_ON_ONE_LINE}}`), `${args[0]}: a line for each event`);
    t.ok(stepOf('JobCompleted').endsWith(`"result":${ODD_ON_ONE_LINE}}`));
  }
  t.ok((await command(['replay', jobId])).includes(`payload  ${ODD_ON_ONE_LINE}\n`));
  t.ok((await command(['jobs', 'watch', jobId])).includes(ODD_ON_ONE_LINE));
});

t.test('a label that is given twice is refused', async (t) => {
  const ran = await run(['submit', 'odd', '--label', 'a=1', '--label', 'a=2'], { cwd: t.testdir() });
  t.match(ran, { code: 2, stderr: /label a is given twice/ });
});
