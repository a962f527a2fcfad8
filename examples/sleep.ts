// Sleeps and reports progress; stops when the job is cancelled: reprise submit sleep '{"ms":10000}'
import { setTimeout } from "node:timers/promises";
import { performer } from "reprise";

const STEPS = 10;

export default performer("sleep", async ({ ms }: { ms: number }, { progress, signal }) => {
  for (let step = 1; step <= STEPS; step += 1) {
    await setTimeout(ms / STEPS, undefined, { signal });
    progress(step / STEPS, `${step} of ${STEPS}`);
  }
  return { sleptMs: ms };
});
