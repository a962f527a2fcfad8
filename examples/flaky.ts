// Fails its first attempts, to show retries: reprise submit flaky '{"failures":2}' --attempts 3
import { performer } from "reprise";

export default performer("flaky", ({ failures }: { failures: number }, { attempt, log }) => {
  if (attempt <= failures) throw new Error(`attempt ${attempt} fails, as do the first ${failures}`);
  log.info({ attempt }, "succeeded");
  return { attempt };
});
