// Fails its first attempts, so that one can watch retries: reprise submit flaky '{"failures":2}' --attempts 3
import { performer } from "reprise";

export default performer("flaky", ({ failures }: { failures: number }, { attempt, log }) => {
  if (attempt <= failures) throw new Error(`attempt ${attempt} of ${failures} that fail`);
  log.info({ attempt }, "it worked at last");
  return { attempt };
});
