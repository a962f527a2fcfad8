import { performer } from "reprise";
export default performer("square", async ({ n }: { n: number }) => n * n);
